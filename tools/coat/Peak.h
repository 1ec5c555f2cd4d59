// The speed of fused multiply-adds, measured: what the rates of kernels are compared with.
#ifndef COAT_TOOLS_PEAK_H
#define COAT_TOOLS_PEAK_H

extern "C" {
/// Seconds that one thread takes for `flops` operations in a loop of independent f32 fused multiply-adds on registers,
/// of the widest vectors this CPU has. 0 where there is no such loop for the architecture.
double coatSecondsAtPeak(double flops);

/// GFLOP/s of that loop, the best of a few milliseconds; 0 likewise.
double coatMeasuredPeak(void);
}

#endif
