// See AttentionShape.h.
#include "AttentionShape.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace coat;

/// Digits of the head (batch, then head of the batch), `outer` and `inner` the dimensions of a [B, H, S, D] tensor.
static ProductOperand operandOf(const Source &source, int64_t outer, int64_t inner) {
  ProductOperand operand;
  operand.argument = source.argument;
  operand.memory = source.memory;
  operand.batch = {{source.shape[0], source.strides[0]}, {source.shape[1], source.strides[1]}};
  operand.outer = {{source.shape[outer], source.strides[outer]}};
  operand.inner = {{source.shape[inner], source.strides[inner]}};
  finish(operand, source.offset);
  return operand;
}

/// The mask with the strides that it has in [B, H, Sq, T].
static FailureOr<Source> findMask(Value mask) {
  FailureOr<Source> source = findSource(mask);
  if (failed(source) || source->shape.size() > 4)
    return failure();
  for (auto [size, stride] : llvm::zip(source->shape, source->strides))
    if (size == 1)
      stride = 0;
  while (source->shape.size() < 4) {
    source->shape.insert(source->shape.begin(), 1);
    source->strides.insert(source->strides.begin(), 0);
  }
  return source;
}

FailureOr<AttentionShape> coat::findAttention(func::FuncOp kernel) {
  auto ops = llvm::to_vector(kernel.getOps<AttentionOp>());
  if (ops.size() != 1 || !ops.front().isPlain() || ops.front().getPastKey())
    return failure();
  AttentionShape shape;
  AttentionOp op = shape.op = ops.front();
  FailureOr<Source> query = findSource(op.getQuery()), key = findSource(op.getKey()), value = findSource(op.getValue());
  if (failed(query) || failed(key) || failed(value) || !getElementTypeOrSelf(op.getResult()).isF32())
    return failure();
  bool agree = query->narrowest == key->narrowest && query->narrowest == value->narrowest;
  shape.type = agree ? query->narrowest : Float32Type::get(kernel.getContext());
  if (!shape.type.isF16() && !shape.type.isBF16() && !shape.type.isF32())
    return failure();
  shape.headsPerBatch = query->shape[1];
  shape.heads = query->shape[0] * query->shape[1];
  shape.keyHeads = key->shape[1];
  shape.queries = query->shape[2];
  shape.keys = key->shape[2];
  shape.depth = query->shape[3];
  shape.width = value->shape[3];
  shape.query = operandOf(*query, 2, 3);
  shape.key = operandOf(*key, 3, 2);
  shape.value = operandOf(*value, 3, 2);
  // Fragments are read along the depth: elsewhere it is copied element by element.
  shape.query.innerIsDense = true;
  if (shape.query.inner.back().stride != 1)
    shape.query.run = 1;
  for (ProductOperand *operand : {&shape.key, &shape.value}) {
    operand->innerIsDense = false;
    if (operand->outer.back().stride != 1)
      operand->run = 1;
  }
  if (op.getMask()) {
    FailureOr<Source> mask = findMask(op.getMask());
    if (failed(mask) || (!mask->memory.isInteger(1) && !isa<FloatType>(mask->memory)) || mask->memory.isF64())
      return failure();
    shape.mask = *mask;
  }
  shape.offset = 0;
  if (Value offset = op.getQueryOffset()) {
    std::optional<int64_t> constant = getConstantIntValue(offset);
    if (!constant)
      return failure();
    shape.offset = *constant;
  }
  shape.causal = op.getCausal();
  shape.scale = op.getScale().convertToDouble();
  shape.softcap = op.getSoftcap().convertToDouble();
  return shape;
}
