// The speed of fused multiply-adds, measured: what the rates of kernels are compared with.
#ifndef COAT_TOOLS_PEAK_H
#define COAT_TOOLS_PEAK_H

/// GFLOP/s of one thread in a loop of independent f32 fused multiply-adds on registers, of the widest vectors this CPU
/// has; the best of a few milliseconds. 0 where there is no such loop for the architecture.
extern "C" double coatMeasuredPeak(void);

#endif
