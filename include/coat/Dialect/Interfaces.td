// Interfaces of ours: what an op costs.
#ifndef COAT_DIALECT_INTERFACES_TD
#define COAT_DIALECT_INTERFACES_TD

include "mlir/IR/Interfaces.td"

def Coat_CostOpInterface : OpInterface<"CostOpInterface"> {
  let cppNamespace = "::coat";
  let description = [{
    Work of one op, for strategy, profiles and benchmarks. Symbolic dimensions
    count as 1; the callers scale by the actual size.
  }];
  let methods = [
    InterfaceMethod<"Nominal floating-point operations (a multiply-add counts two).",
      "int64_t", "getFlops", (ins)>,
    InterfaceMethod<"Bytes of all operands and results, each counted once.",
      "int64_t", "getBytes", (ins), [{}], [{ return ::coat::bytesOfOperandsAndResults($_op); }]>
  ];
}

#endif
