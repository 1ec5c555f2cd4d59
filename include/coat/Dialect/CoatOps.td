// All of the dialect, for TableGen.
include "coat/Dialect/CoatBase.td"
include "coat/Dialect/ConvOps.td"
include "coat/Dialect/PoolOps.td"
include "coat/Dialect/AttentionOps.td"
include "coat/Dialect/NormOps.td"
include "coat/Dialect/ElementwiseOps.td"
include "coat/Dialect/MovementOps.td"
include "coat/Dialect/KernelOps.td"
