// The dialect, its enums and attributes, and what every op family includes.
#ifndef COAT_DIALECT_BASE_TD
#define COAT_DIALECT_BASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"
include "coat/Dialect/Interfaces.td"

def Coat_Dialect : Dialect {
  let name = "coat";
  let cppNamespace = "::coat";
  let summary = "Convolution, pooling and attention on tensors";
  let description = [{
    Ops are N-dimensional by attribute, have value semantics (no destination
    operand) and follow the ONNX operators of the same name to the letter.
    Dimension sizes are elements; `?` stands for a symbolic dimension whose
    name and range the entry function carries.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  // What folders, reified sizes and scalar formulas are written in.
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let extraClassDeclaration = [{
  private:
    // Families with a header of their own, which few sources read: a change to one of them compiles little anew.
    void addIndexOps();
    void addQuantOps();
    void addRecurrentOps();
    void addSamplingOps();
    void addSequenceOps();
  public:
  }];
}

class Coat_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::coat";
  let genSpecializedAttr = 0;
}
class Coat_EnumAttr<I32EnumAttr e, string mnemonic> : EnumAttr<Coat_Dialect, e, mnemonic>;

def Coat_DataLayout : Coat_Enum<"DataLayout", "order of batch, channel and spatial dimensions", [
  I32EnumAttrCase<"channels_first", 0>,  // N C D1 .. Dk, as in ONNX
  I32EnumAttrCase<"channels_last", 1>    // N D1 .. Dk C
]>;
def Coat_DataLayoutAttr : Coat_EnumAttr<Coat_DataLayout, "layout">;

def Coat_FilterLayout : Coat_Enum<"FilterLayout", "order of the weights of a convolution or product", [
  I32EnumAttrCase<"plain", 0>,   // conv: M C/group K1 .. Kk; matmul: K N (or N K when transposed)
  I32EnumAttrCase<"packed", 1>   // conv: group Mb K1 .. Kk C/group Mr; matmul: Nb K Nr; zero-padded to a multiple of Mr, Nr
]>;
def Coat_FilterLayoutAttr : Coat_EnumAttr<Coat_FilterLayout, "filter_layout">;

def Coat_PoolKind : Coat_Enum<"PoolKind", "what a pooling window computes", [
  I32EnumAttrCase<"max", 0>, I32EnumAttrCase<"average", 1>, I32EnumAttrCase<"lp", 2>,
  I32EnumAttrCase<"sum", 3>
]>;
def Coat_PoolKindAttr : Coat_EnumAttr<Coat_PoolKind, "pool_kind">;

def Coat_ElementwiseKind : Coat_Enum<"ElementwiseKind", "scalar function of an element-wise op", [
  // unary
  I32EnumAttrCase<"abs", 0>, I32EnumAttrCase<"neg", 1>, I32EnumAttrCase<"exp", 2>, I32EnumAttrCase<"log", 3>,
  I32EnumAttrCase<"sqrt", 4>, I32EnumAttrCase<"reciprocal", 5>, I32EnumAttrCase<"floor", 6>, I32EnumAttrCase<"ceil", 7>,
  I32EnumAttrCase<"round", 8>, I32EnumAttrCase<"sign", 9>, I32EnumAttrCase<"sin", 10>, I32EnumAttrCase<"cos", 11>,
  I32EnumAttrCase<"erf", 12>, I32EnumAttrCase<"tanh", 13>, I32EnumAttrCase<"sigmoid", 14>, I32EnumAttrCase<"relu", 15>,
  I32EnumAttrCase<"gelu", 16>, I32EnumAttrCase<"gelu_tanh", 17>, I32EnumAttrCase<"silu", 18>, I32EnumAttrCase<"softplus", 19>,
  I32EnumAttrCase<"softsign", 20>, I32EnumAttrCase<"mish", 21>, I32EnumAttrCase<"hard_swish", 22>,
  I32EnumAttrCase<"elu", 23>,           // alpha
  I32EnumAttrCase<"leaky_relu", 24>,    // alpha
  I32EnumAttrCase<"selu", 25>,          // alpha, beta = gamma
  I32EnumAttrCase<"celu", 26>,          // alpha
  I32EnumAttrCase<"thresholded_relu", 27>, // alpha
  I32EnumAttrCase<"hard_sigmoid", 28>,  // alpha, beta
  I32EnumAttrCase<"clip", 29>,          // alpha = lower, beta = upper bound
  I32EnumAttrCase<"isnan", 30>, I32EnumAttrCase<"logical_not", 31>, I32EnumAttrCase<"isinf", 32>,
  I32EnumAttrCase<"tan", 33>, I32EnumAttrCase<"asin", 34>, I32EnumAttrCase<"acos", 35>, I32EnumAttrCase<"atan", 36>,
  I32EnumAttrCase<"sinh", 37>, I32EnumAttrCase<"cosh", 38>, I32EnumAttrCase<"asinh", 39>, I32EnumAttrCase<"acosh", 40>,
  I32EnumAttrCase<"atanh", 41>, I32EnumAttrCase<"bitwise_not", 42>,
  // binary
  I32EnumAttrCase<"add", 64>, I32EnumAttrCase<"sub", 65>, I32EnumAttrCase<"mul", 66>, I32EnumAttrCase<"div", 67>,
  I32EnumAttrCase<"pow", 68>, I32EnumAttrCase<"min", 69>, I32EnumAttrCase<"max", 70>, I32EnumAttrCase<"mod", 71>,
  I32EnumAttrCase<"fmod", 72>, I32EnumAttrCase<"prelu", 73>,
  I32EnumAttrCase<"bitwise_and", 74>, I32EnumAttrCase<"bitwise_or", 75>, I32EnumAttrCase<"bitwise_xor", 76>,
  I32EnumAttrCase<"shift_left", 77>, I32EnumAttrCase<"shift_right", 78>,
  I32EnumAttrCase<"equal", 80>, I32EnumAttrCase<"less", 81>, I32EnumAttrCase<"less_equal", 82>,
  I32EnumAttrCase<"greater", 83>, I32EnumAttrCase<"greater_equal", 84>,
  I32EnumAttrCase<"logical_and", 85>, I32EnumAttrCase<"logical_or", 86>, I32EnumAttrCase<"logical_xor", 87>,
  // ternary
  I32EnumAttrCase<"select", 96>
]>;
def Coat_ElementwiseKindAttr : Coat_EnumAttr<Coat_ElementwiseKind, "elementwise_kind">;

def Coat_ReduceKind : Coat_Enum<"ReduceKind", "what a reduction computes", [
  I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"mean", 1>, I32EnumAttrCase<"max", 2>, I32EnumAttrCase<"min", 3>,
  I32EnumAttrCase<"prod", 4>, I32EnumAttrCase<"l1", 5>, I32EnumAttrCase<"l2", 6>, I32EnumAttrCase<"sum_square", 7>,
  I32EnumAttrCase<"log_sum", 8>, I32EnumAttrCase<"log_sum_exp", 9>
]>;
def Coat_ReduceKindAttr : Coat_EnumAttr<Coat_ReduceKind, "reduce_kind">;

def Coat_PadMode : Coat_Enum<"PadMode", "where padded elements come from", [
  I32EnumAttrCase<"constant", 0>, I32EnumAttrCase<"reflect", 1>, I32EnumAttrCase<"edge", 2>, I32EnumAttrCase<"wrap", 3>
]>;
def Coat_PadModeAttr : Coat_EnumAttr<Coat_PadMode, "pad_mode">;

def Coat_ResizeMode : Coat_Enum<"ResizeMode", "interpolation", [
  I32EnumAttrCase<"nearest", 0>, I32EnumAttrCase<"linear", 1>, I32EnumAttrCase<"cubic", 2>
]>;
def Coat_ResizeModeAttr : Coat_EnumAttr<Coat_ResizeMode, "resize_mode">;
def Coat_CoordinateMode : Coat_Enum<"CoordinateMode", "map from output to input coordinates", [
  I32EnumAttrCase<"half_pixel", 0>, I32EnumAttrCase<"asymmetric", 1>, I32EnumAttrCase<"align_corners", 2>,
  I32EnumAttrCase<"pytorch_half_pixel", 3>, I32EnumAttrCase<"half_pixel_symmetric", 4>
]>;
def Coat_CoordinateModeAttr : Coat_EnumAttr<Coat_CoordinateMode, "coordinate_mode">;
def Coat_NearestMode : Coat_Enum<"NearestMode", "rounding of a nearest-neighbour coordinate", [
  I32EnumAttrCase<"round_prefer_floor", 0>, I32EnumAttrCase<"round_prefer_ceil", 1>, I32EnumAttrCase<"floor", 2>,
  I32EnumAttrCase<"ceil", 3>
]>;
def Coat_NearestModeAttr : Coat_EnumAttr<Coat_NearestMode, "nearest_mode">;

def Coat_ScatterKind : Coat_Enum<"ScatterKind", "how an update meets the element that is there", [
  I32EnumAttrCase<"replace", 0>, I32EnumAttrCase<"add", 1>, I32EnumAttrCase<"mul", 2>, I32EnumAttrCase<"max", 3>,
  I32EnumAttrCase<"min", 4>
]>;
def Coat_ScatterKindAttr : Coat_EnumAttr<Coat_ScatterKind, "scatter_kind">;

def Coat_ScoresKind : Coat_Enum<"ScoresKind", "how far the scores of an attention have come", [
  I32EnumAttrCase<"scaled", 0>,  // scale * query key^T
  I32EnumAttrCase<"capped", 1>,  // behind softcap
  I32EnumAttrCase<"masked", 2>,  // with mask, -inf where a key is hidden
  I32EnumAttrCase<"weights", 3>  // behind softmax: what the values are multiplied by
]>;
def Coat_ScoresKindAttr : Coat_EnumAttr<Coat_ScoresKind, "scores_kind">;

def Coat_Direction : Coat_Enum<"Direction", "the way through a sequence", [
  I32EnumAttrCase<"forward", 0>, I32EnumAttrCase<"reverse", 1>, I32EnumAttrCase<"bidirectional", 2>
]>;
def Coat_DirectionAttr : Coat_EnumAttr<Coat_Direction, "direction">;

// The decision of the Strategy stage on one kernel. Kernels, Tile, Vector and
// Memory read it and decide nothing themselves.
def Coat_ScheduleAttr : AttrDef<Coat_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how one kernel is computed";
  let description = [{
    `algorithm` names the form ("direct", "gemm", "depthwise", "winograd", "flash", "rows", "loops").
    `tile` is the part of the iteration domain (of the root op's TilingInterface)
    that one task computes, 0 meaning the whole extent. `reg` is the register
    tile inside it, in the same dimensions. `vector` is the number of f32 lanes.
    `order` permutes the dimensions of the tasks, slowest first; empty is the order
    of the dimensions. Neighbouring tasks share what only the slow ones choose.
  }];
  let parameters = (ins StringRefParameter<>:$algorithm,
                        ArrayRefParameter<"int64_t">:$tile,
                        OptionalArrayRefParameter<"int64_t">:$reg,
                        OptionalArrayRefParameter<"int64_t">:$order,
                        "int64_t":$vector);
  let assemblyFormat = [{
    `<` $algorithm `,` `tile` `=` `[` $tile `]` `` custom<RegisterTile>($reg, $order) `vector` `=` $vector `>`
  }];
}

class Coat_Op<string mnemonic, list<Trait> traits = []>
    : Op<Coat_Dialect, mnemonic, !listconcat([Pure], traits)>;

// The numbered constraints of an op, written once: the verifier runs them before the inferred types are compared, and
// type inference runs them on operands and attributes of an op that does not exist yet (what import relies on).
def Coat_Checked : NativeOpTrait<"Checked", [], [{
  static ::llvm::LogicalResult checkConstraints(Adaptor adaptor, ::coat::EmitError emitError);
}]> {
  let cppNamespace = "::coat";
}

// An op whose result types follow from operands and attributes (the one shape
// inference of the compiler) and whose dynamic sizes can be written as IR.
class Coat_InferredOp<string mnemonic, list<Trait> traits = []>
    : Coat_Op<mnemonic, !listconcat(traits, [Coat_Checked, InferTypeOpAdaptor,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<Coat_CostOpInterface, ["getFlops"]>])>;

// An op whose one lowering is its formula.
class Coat_FormulaOp<string mnemonic, list<Trait> traits = []>
    : Coat_InferredOp<mnemonic, !listconcat(traits, [
        DeclareOpInterfaceMethods<Coat_FormulaOpInterface, ["writeFormula"]>])>;

// An op that can compute any box of its result alone; all its loops are dimensions of the result.
def Coat_ResultTiled : DeclareOpInterfaceMethods<TilingInterface, ["getLoopIteratorTypes", "getIterationDomain",
    "getTiledImplementation", "getResultTilePosition", "getIterationDomainTileFromResultTile",
    "generateResultTileValue"]>;

// One result type is inferred exactly; no cast-compatible variants.
defvar Coat_Tensor = AnyRankedTensor;

#endif
