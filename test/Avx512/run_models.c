// What an emulated PC runs (scripts/emulate_avx512.sh), without an operating system: each model of the table of
// table.py once, its results compared with those that are expected. Lines go to the parallel port.
#include "coat.h"

/// One array: of an input by its name, of an output by output_<index>. An empty row ends a model.
typedef struct {
  const coat_model_info *(*model)(void);
  const char *name, *data;
  const int64_t *shape;
} row;
extern const row rows[];
extern char heap_begin[], traps[];
static char *heap = heap_begin, *const heap_end = (char *)0x3e000000; // the stack is above

void *malloc(size_t size) {
  char *result = (char *)(((uintptr_t)heap + 63) & ~(uintptr_t)63);
  if (size > (size_t)(heap_end - result))
    return NULL;
  heap = result + size;
  return result;
}
void free(void *memory) { (void)memory; }
void *memcpy(void *to, const void *from, size_t size) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
  return result;
}
void *memset(void *to, int byte, size_t size) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
  return result;
}

static void out(uint16_t port, uint8_t byte) { __asm__ volatile("outb %0, %1" ::"a"(byte), "Nd"(port)); }
static void print(const char *text) {
  for (; *text; ++text) {
    out(0x378, (uint8_t)*text);
    out(0x37a, 0x0c);
    out(0x37a, 0x0d); // strobe
  }
}
static void print_number(uint64_t value, unsigned base) {
  char digits[24], *d = digits + 23;
  *d = 0;
  do
    *--d = "0123456789abcdef"[value % base];
  while (value /= base);
  print(d);
}
/// Three digits after the point.
static void print_double(double value) {
  if (value < 0)
    print("-");
  value = __builtin_fabs(value);
  if (!(value < 1e15)) {
    print(value != value ? "nan" : "huge");
    return;
  }
  print_number((uint64_t)value, 10);
  uint64_t fraction = (uint64_t)(value * 1000) % 1000;
  print(fraction < 10 ? ".00" : fraction < 100 ? ".0" : ".");
  print_number(fraction, 10);
}
static _Noreturn void off(void) {
  print("done\n");
  for (const char *c = "Shutdown"; *c; ++c) // how Bochs is switched off
    out(0x8900, (uint8_t)*c);
  for (;;)
    __asm__ volatile("hlt");
}

_Noreturn void trapped(const uint64_t *stack) {
  uint64_t number = stack[0];
  print("exception ");
  print_number(number, 10);
  print(number == 6 ? ", illegal instruction, at 0x" : " at 0x");
  print_number(stack[1 + (number == 8 || (number >= 10 && number <= 14) || number == 17)], 16);
  print("\n");
  off();
}
static void set_traps(void) {
  static uint64_t vectors[32][2];
  for (uint64_t i = 0; i < 32; ++i) {
    uint64_t a = (uintptr_t)traps + 16 * i;
    vectors[i][0] = (a & 0xffff) | 0x18 << 16 | 0x8e00ull << 32 | (a & 0xffff0000) << 32;
    vectors[i][1] = a >> 32;
  }
  struct {
    uint16_t size;
    const void *vectors;
  } __attribute__((packed)) table = {sizeof vectors - 1, vectors};
  __asm__ volatile("lidt %0" ::"m"(table));
}

static int equal(const char *a, const char *b) {
  while (*a && *a == *b)
    ++a, ++b;
  return *a == *b;
}
static const row *find(const row *rows, const char *name) {
  for (; rows->model; ++rows)
    if (equal(rows->name, name))
      return rows;
  return NULL;
}
static double at(const void *data, int32_t type, int64_t i) {
  switch (type) {
  case COAT_F32:
    return (double)((const float *)data)[i];
  case COAT_F64:
    return ((const double *)data)[i];
  case COAT_I64:
    return (double)((const int64_t *)data)[i];
  case COAT_I32:
    return ((const int32_t *)data)[i];
  case COAT_I8:
    return ((const int8_t *)data)[i];
  default:
    return ((const uint8_t *)data)[i];
  }
}

/// The largest difference, as a part of the tolerance of the project: rtol 1e-3, atol 1e-4 of the largest number.
static double difference(const void *got, const void *expected, int32_t type, int64_t count) {
  double most = 0, worst = 0;
  for (int64_t i = 0; i < count; ++i)
    if (__builtin_fabs(at(expected, type, i)) > most)
      most = __builtin_fabs(at(expected, type, i));
  for (int64_t i = 0; i < count; ++i) {
    double e = at(expected, type, i), bound = 1e-3 * __builtin_fabs(e) + 1e-4 * most + 1e-30;
    double ratio = __builtin_fabs(at(got, type, i) - e) / bound;
    if (!(ratio <= 1) && worst <= 1) { // the first one
      print("[");
      print_number((uint64_t)i, 10);
      print("]: expected ");
      print_double(e);
      print(", got ");
      print_double(at(got, type, i));
      print("; ");
    }
    if (!(ratio <= worst))
      worst = ratio;
  }
  return worst;
}

/// Returns the text of an error, or NULL.
static const char *run_model(const row *rows, double *worst, uint64_t *ticks) {
  const coat_model_info *info = rows->model();
  int count = info->input_count + info->output_count;
  void *tensors[count];
  int64_t dims[info->symbol_count + 1], sizes[count];
  for (int i = 0; i < info->input_count; ++i) {
    const row *found = find(rows, info->tensors[i].name);
    if (!found)
      return info->tensors[i].name;
    tensors[i] = (void *)found->data;
    for (int d = 0; d < info->tensors[i].rank; ++d)
      if (info->tensors[i].dims[d].size < 0 && info->tensors[i].dims[d].symbol >= 0)
        dims[info->tensors[i].dims[d].symbol] = found->shape[d];
  }
  for (int i = info->input_count; i < count; ++i) {
    int64_t shape[16];
    info->shape(i, dims, shape);
    sizes[i] = 1;
    for (int d = 0; d < info->tensors[i].rank; ++d)
      sizes[i] *= shape[d];
    tensors[i] = malloc((size_t)sizes[i] * 8);
  }
  static char error[256];
  coat_options options = {.struct_size = sizeof options, .error = error, .error_size = sizeof error};
  uint64_t start = __builtin_ia32_rdtsc();
  if (info->run(tensors, dims, &options))
    return error;
  *ticks = __builtin_ia32_rdtsc() - start;
  *worst = 0;
  for (int i = info->input_count; i < count; ++i) {
    char name[] = "output_0";
    name[7] = (char)('0' + i - info->input_count);
    const row *found = find(rows, name);
    if (!found)
      return "no expected output";
    double d = difference(tensors[i], found->data, info->tensors[i].dtype, sizes[i]);
    if (!(d <= *worst))
      *worst = d;
  }
  return NULL;
}

_Noreturn void run_models(void) {
  set_traps();
  for (const row *r = rows; r->model; ++r) {
    double worst = 0;
    uint64_t ticks = 0;
    heap = heap_begin;
    print(r->model()->name);
    print(" for ");
    print(r->model()->isas[0]);
    print(": ");
    const char *error = run_model(r, &worst, &ticks);
    print(error ? error : worst <= 1 ? "right, " : "WRONG, ");
    if (!error) {
      print_double(worst * 100);
      print("% of the tolerance, ");
      print_double((double)ticks / 1e6);
      print(" million instructions");
    }
    print("\n");
    while (r->model)
      ++r;
  }
  off();
}
