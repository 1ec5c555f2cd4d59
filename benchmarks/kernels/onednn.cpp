// oneDNN called directly, for the benchmark of kernels: formats are oneDNN's own choice (`any`, or the blocked one
// where a primitive does not choose), weights are reordered once, buffers are reused. Data comes and goes in plain
// row-major order.
#include <chrono>
#include <cstdio>
#include <dnnl.hpp>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using Type = memory::data_type;
using Tag = memory::format_tag;
using Args = std::unordered_map<int, memory>;

namespace {
const memory::dims noDilation = {0, 0};

engine &cpu() {
  static engine one(engine::kind::cpu, 0);
  return one;
}

struct Kernel {
  primitive run;
  Args args;
  memory result;
  stream order{cpu()};
};

memory::desc desc(const memory::dims &dims, Tag tag) { return {dims, Type::f32, tag}; }

memory reordered(const memory &from, const memory::desc &to) {
  memory target(to, cpu());
  stream order(cpu());
  reorder(from, target).execute(order, const_cast<memory &>(from), target);
  order.wait();
  return target;
}

memory plain(const memory::dims &dims, Tag tag, const void *data) {
  return {desc(dims, tag), cpu(), const_cast<void *>(data)};
}

/// A buffer in the given format with the plain data in it.
memory blocked(const memory::dims &dims, Tag tag, const void *data, const memory::desc &to) {
  return reordered(plain(dims, tag, data), to);
}

/// The channel block of this CPU.
Tag imageTag() { return get_effective_cpu_isa() >= cpu_isa::avx512_core ? Tag::nChw16c : Tag::nChw8c; }

/// The reason is printed: which kernel a oneDNN lacks is worth knowing.
void *guarded(const std::function<Kernel *()> &make) {
  try {
    return make();
  } catch (const std::exception &failure) {
    fprintf(stderr, "oneDNN: %s\n", failure.what());
    return nullptr;
  }
}
} // namespace

extern "C" {
/// Convolution of x[1,ic,ih,iw] with w[oc,ic/groups,k,k].
void *dnnlConv(const float *x, const float *w, int64_t ih, int64_t iw, int64_t ic, int64_t oc, int64_t k,
               int64_t stride, int64_t pad, int64_t groups) {
  return guarded([&] {
    memory::dims in = {1, ic, ih, iw}, out = {1, oc, (ih + 2 * pad - k) / stride + 1, (iw + 2 * pad - k) / stride + 1};
    memory::dims filter =
        groups > 1 ? memory::dims{groups, oc / groups, ic / groups, k, k} : memory::dims{oc, ic, k, k};
    convolution_forward::primitive_desc choice(cpu(), prop_kind::forward_inference, algorithm::convolution_auto,
                                               desc(in, Tag::any), desc(filter, Tag::any), desc(out, Tag::any),
                                               {stride, stride}, noDilation, {pad, pad}, {pad, pad});
    auto *kernel = new Kernel{convolution_forward(choice), {}, memory(choice.dst_desc(), cpu())};
    kernel->args = {{DNNL_ARG_SRC, blocked(in, Tag::nchw, x, choice.src_desc())},
                    {DNNL_ARG_WEIGHTS, blocked(filter, groups > 1 ? Tag::goihw : Tag::oihw, w, choice.weights_desc())},
                    {DNNL_ARG_DST, kernel->result}};
    return kernel;
  });
}

/// x[m,k] times w[k,n], w in oneDNN's order. As a 1x1 convolution over blocked x and result, or as a product.
void *dnnlProduct(const float *x, const float *w, int64_t m, int64_t n, int64_t k) {
  return guarded([&] {
    matmul::primitive_desc choice(cpu(), desc({m, k}, Tag::ab), desc({k, n}, Tag::any), desc({m, n}, Tag::ab));
    auto *kernel = new Kernel{matmul(choice), {}, memory(choice.dst_desc(), cpu())};
    kernel->args = {{DNNL_ARG_SRC, blocked({m, k}, Tag::ab, x, choice.src_desc())},
                    {DNNL_ARG_WEIGHTS, blocked({k, n}, Tag::ab, w, choice.weights_desc())},
                    {DNNL_ARG_DST, kernel->result}};
    return kernel;
  });
}

/// The same product as a fully connected layer, all three operands in oneDNN's formats.
void *dnnlInnerProduct(const float *x, const float *w, int64_t m, int64_t n, int64_t k) {
  return guarded([&] {
    inner_product_forward::primitive_desc choice(cpu(), prop_kind::forward_inference, desc({m, k}, Tag::any),
                                                 desc({n, k}, Tag::any), desc({m, n}, Tag::any));
    auto *kernel = new Kernel{inner_product_forward(choice), {}, memory(choice.dst_desc(), cpu())};
    kernel->args = {{DNNL_ARG_SRC, blocked({m, k}, Tag::ab, x, choice.src_desc())},
                    {DNNL_ARG_WEIGHTS, blocked({n, k}, Tag::ba, w, choice.weights_desc())},
                    {DNNL_ARG_DST, kernel->result}};
    return kernel;
  });
}

/// Pooling of x[1,c,ih,iw]; `average` leaves padding out of the count.
void *dnnlPool(const float *x, int64_t ih, int64_t iw, int64_t c, int64_t k, int64_t stride, int64_t pad, int average) {
  return guarded([&] {
    memory::dims in = {1, c, ih, iw}, out = {1, c, (ih + 2 * pad - k) / stride + 1, (iw + 2 * pad - k) / stride + 1};
    pooling_forward::primitive_desc choice(
        cpu(), prop_kind::forward_inference, average ? algorithm::pooling_avg_exclude_padding : algorithm::pooling_max,
        desc(in, imageTag()), desc(out, imageTag()), {stride, stride}, {k, k}, noDilation, {pad, pad}, {pad, pad});
    auto *kernel = new Kernel{pooling_forward(choice), {}, memory(choice.dst_desc(), cpu())};
    kernel->args = {{DNNL_ARG_SRC, blocked(in, Tag::nchw, x, choice.src_desc())}, {DNNL_ARG_DST, kernel->result}};
    return kernel;
  });
}

/// Layer norm of the rows of x[rows,size] with scale and shift.
void *dnnlLayerNorm(const float *x, const float *scale, const float *shift, int64_t rows, int64_t size, float epsilon) {
  return guarded([&] {
    layer_normalization_forward::primitive_desc choice(cpu(), prop_kind::forward_inference, desc({rows, size}, Tag::ab),
                                                       desc({rows, size}, Tag::ab), epsilon,
                                                       normalization_flags::use_scale | normalization_flags::use_shift);
    auto *kernel = new Kernel{layer_normalization_forward(choice), {}, memory(choice.dst_desc(), cpu())};
    kernel->args = {{DNNL_ARG_SRC, plain({rows, size}, Tag::ab, x)},
                    {DNNL_ARG_SCALE, plain({size}, Tag::a, scale)},
                    {DNNL_ARG_SHIFT, plain({size}, Tag::a, shift)},
                    {DNNL_ARG_DST, kernel->result}};
    return kernel;
  });
}

/// Softmax of the rows of x[rows,size].
void *dnnlSoftmax(const float *x, int64_t rows, int64_t size) {
  return guarded([&] {
    softmax_forward::primitive_desc choice(cpu(), prop_kind::forward_inference, algorithm::softmax_accurate,
                                           desc({rows, size}, Tag::ab), desc({rows, size}, Tag::ab), 1);
    auto *kernel = new Kernel{softmax_forward(choice), {}, memory(choice.dst_desc(), cpu())};
    kernel->args = {{DNNL_ARG_SRC, plain({rows, size}, Tag::ab, x)}, {DNNL_ARG_DST, kernel->result}};
    return kernel;
  });
}

/// Runs `count` times; run i takes seconds[i].
void dnnlRun(void *handle, int count, double *seconds) {
  auto *kernel = static_cast<Kernel *>(handle);
  for (int i = 0; i < count; ++i) {
    auto start = std::chrono::steady_clock::now();
    kernel->run.execute(kernel->order, kernel->args);
    kernel->order.wait();
    seconds[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
}

/// The last result, row-major (an image as nchw).
void dnnlResult(void *handle, float *out) {
  auto *kernel = static_cast<Kernel *>(handle);
  memory::dims dims = kernel->result.get_desc().get_dims();
  Tag tag = dims.size() == 4 ? Tag::nchw : Tag::ab;
  memory target(desc(dims, tag), cpu(), out);
  reorder(kernel->result, target).execute(kernel->order, kernel->result, target);
  kernel->order.wait();
}

const char *dnnlVersion() {
  static std::string text;
  const dnnl_version_t *v = dnnl_version();
  text = std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
  return text.c_str();
}
}
