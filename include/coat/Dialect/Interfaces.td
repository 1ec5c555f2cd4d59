// Interfaces of ours: what an op costs, and ops that are computed as their formulas say.
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

def Coat_FormulaOpInterface : OpInterface<"FormulaOpInterface"> {
  let cppNamespace = "::coat";
  let description = [{
    An op that is computed by its formula at every optimization level: scalar
    loops over buffers are its one lowering, a kernel of its own. For ops whose
    work is picking and placing elements, or a recurrence; what is hot has a
    tiling and a microkernel instead.
  }];
  let methods = [
    InterfaceMethod<[{
      Writes the kernel: `in` holds the memrefs of the tensor operands in order,
      `out` those of the results. Either one outermost scf.forall, whose
      iterations are the tasks, or none. An error has been emitted where it fails.
    }], "::llvm::LogicalResult", "writeFormula",
      (ins "::coat::ScalarLoops &":$loops, "::mlir::ValueRange":$in, "::mlir::ValueRange":$out)>
  ];
}

#endif
