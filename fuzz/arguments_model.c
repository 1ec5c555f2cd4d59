/* The tables of the model of arguments_model.h, as lib/Emit would write them. */
#include "arguments_model.h"

#define STATIC(n) {n, -1, 0, #n, 0}
#define SYMBOL(i, name) {-1, i, 0, name, 0}

static const int64_t width[] = {COAT_CODE_CONST,
                                2,
                                COAT_CODE_SYMBOL,
                                1,
                                COAT_CODE_MUL,
                                COAT_CODE_CONST,
                                3,
                                COAT_CODE_FLOORDIV,
                                COAT_CODE_CONST,
                                1,
                                COAT_CODE_ADD,
                                COAT_CODE_END};
static const coat_dim_info x[] = {SYMBOL(0, "N"), STATIC(3), SYMBOL(1, "M")};
static const coat_dim_info m[] = {SYMBOL(1, "M")};
static const coat_dim_info state[] = {SYMBOL(0, "N"), STATIC(8)};
static const coat_dim_info y[] = {SYMBOL(0, "N"), {-1, -1, 0, "(2*M) floordiv 3 + 1", width}};

static const coat_tensor_info all[tensors] = {
    {"x", "x", COAT_F32, 3, 0, 0, x},
    {"mask", "mask", COAT_BOOL, 1, COAT_TENSOR_OPTIONAL, 0, m},
    {"past", "past", COAT_F16, 2, 0, 0, state},
    {"nibbles", "nibbles", COAT_I4, 1, 0, 0, m},
    {"y", "y", COAT_F64, 2, COAT_TENSOR_OUTPUT, 0, y},
    {"present", "present", COAT_F16, 2, COAT_TENSOR_OUTPUT, 0, state},
    {"scalar", "scalar", COAT_I64, 0, COAT_TENSOR_OUTPUT, 0, 0},
};
static const coat_symbol_info symbolTable[symbols] = {{"N", "N", 1, 4}, {"M", "M", 0, 7}};
static const coat_alias_info aliases[] = {{2, 5}};
static const char *const isaNames[] = {"any"};
static const coat_kernel_info kernels[] = {{"k0", "a", "fuzz", 0, 0}, {"k1", "b", "fuzz", 0, 0}};
static const coat_isa isas[] = {{0, runBody}};

const coat_model coat_the_model = {
    .info = {sizeof(coat_model_info),
             COAT_ABI,
             0,
             "fuzz",
             "by hand",
             "0",
             inputs,
             tensors - inputs,
             symbols,
             1,
             1,
             2,
             all,
             symbolTable,
             aliases,
             isaNames,
             kernels,
             weightsSize,
             coat_export_run_flat,
             coat_flat_workspace_size,
             coat_shape,
             coat_export_state_size,
             coat_export_init,
             coat_export_fini,
             coat_export_strerror},
    .isas = isas,
    .workspace = workspaceSize,
    .scratch = scratchSize,
    .dim_count = 3 + 1 + 2 + 1 + 2 + 2,
};
