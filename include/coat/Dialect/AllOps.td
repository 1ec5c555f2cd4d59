// All of the dialect, for its reference page.
include "coat/Dialect/CoatOps.td"
include "coat/Dialect/IndexOps.td"
include "coat/Dialect/QuantOps.td"
include "coat/Dialect/RecurrentOps.td"
include "coat/Dialect/SamplingOps.td"
include "coat/Dialect/SequenceOps.td"
