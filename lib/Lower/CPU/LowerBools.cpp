// coat-lower-bools: vectors of booleans are read and written as vectors of bytes.
//
// A boolean of a memref is a byte, 0 or 1, to scalar loads and to callers; the conversion of a vector access to LLVM
// takes a vector of i1 for packed bits. Read one by one, eight booleans of a mask cost as much as the eight scores that
// they hide.
//
//   vector.load %m[%i] : memref<?xi1>, vector<8xi1>
//   -> %b = vector.load %m'[%i] : memref<?xi8>, vector<8xi8>; arith.cmpi ne, %b, 0
#include "coat/Lower/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

namespace coat {
#define GEN_PASS_DEF_LOWERBOOLS
#include "coat/Lower/Passes.h.inc"
} // namespace coat

using namespace mlir;

namespace {
bool isBool(Type type) { return getElementTypeOrSelf(type).isInteger(1); }

struct LowerBools : coat::impl::LowerBoolsBase<LowerBools> {
  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<vector::LoadOp>(op); load && isBool(load.getType()))
        read(load, load.getBase());
      else if (auto transfer = dyn_cast<vector::TransferReadOp>(op); transfer && isBool(transfer.getType()))
        read(transfer, transfer.getBase());
      else if (auto store = dyn_cast<vector::StoreOp>(op); store && isBool(store.getValueToStore().getType()))
        write(store, store.getBase(), store.getValueToStore());
      else if (auto transfer = dyn_cast<vector::TransferWriteOp>(op);
               transfer && isBool(transfer.getVector().getType()))
        write(transfer, transfer.getBase(), transfer.getVector());
      else if (isa<vector::MaskedLoadOp, vector::GatherOp, vector::ExpandLoadOp>(op) &&
               isBool(op->getResult(0).getType()))
        refuse(op);
      else if (isa<vector::MaskedStoreOp, vector::ScatterOp, vector::CompressStoreOp>(op) &&
               isBool(op->getOperands().back().getType()))
        refuse(op);
    });
  }

private:
  void refuse(Operation *op) {
    op->emitOpError("expected no vector of booleans, which would be bits in memory");
    signalPassFailure();
  }

  /// The same memory; both types have one form in LLVM, where the cast vanishes.
  static Value asBytes(OpBuilder &b, Location loc, Value memref) {
    auto type = cast<MemRefType>(memref.getType());
    Type bytes = MemRefType::get(type.getShape(), b.getI8Type(), type.getLayout(), type.getMemorySpace());
    return UnrealizedConversionCastOp::create(b, loc, bytes, memref).getResult(0);
  }

  static void read(Operation *op, Value memref) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    auto type = cast<VectorType>(op->getResult(0).getType());
    IRMapping bytes;
    bytes.map(memref, asBytes(b, loc, memref));
    if (auto transfer = dyn_cast<vector::TransferReadOp>(op))
      bytes.map(transfer.getPadding(), arith::ExtUIOp::create(b, loc, b.getI8Type(), transfer.getPadding()));
    Operation *read = b.clone(*op, bytes);
    read->getResult(0).setType(type.clone(b.getI8Type()));
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type.clone(b.getI8Type())));
    op->getResult(0).replaceAllUsesWith(
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, read->getResult(0), zero));
    op->erase();
  }

  static void write(Operation *op, Value memref, Value value) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    IRMapping bytes;
    bytes.map(memref, asBytes(b, loc, memref));
    bytes.map(value, arith::ExtUIOp::create(b, loc, cast<VectorType>(value.getType()).clone(b.getI8Type()), value));
    b.clone(*op, bytes);
    op->erase();
  }
};
} // namespace
