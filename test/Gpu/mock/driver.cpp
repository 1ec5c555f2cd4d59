// The device, its one context, and the account of all calls.
#include "mock.h"
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

using namespace mock;

namespace {
struct Account {
  std::map<std::string, long> calls;
  std::vector<std::string> faults;
  long retained = 0;
  ~Account();
};
std::recursive_mutex &mutex() {
  static std::recursive_mutex m;
  return m;
}
Account &account() {
  static Account a;
  return a;
}
std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text)
    result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c == '\n' ? ' ' : c);
  return result + "\"";
}
} // namespace

namespace mock {
long liveAllocations();
long liveModules();
} // namespace mock

Account::~Account() {
  const char *path = setting("COAT_MOCK_TRACE", "");
  FILE *file = *path ? fopen(path, "w") : nullptr;
  if (!file)
    return;
  fprintf(file, "{\"calls\": {");
  const char *between = "";
  for (auto &[name, n] : calls) {
    fprintf(file, "%s%s: %ld", between, quoted(name).c_str(), n);
    between = ", ";
  }
  fprintf(file, "},\n \"allocations\": %ld, \"modules\": %ld, \"contexts\": %ld,\n \"faults\": [", liveAllocations(),
          liveModules(), retained);
  between = "";
  for (const std::string &text : faults) {
    fprintf(file, "%s%s", between, quoted(text).c_str());
    between = ", ";
  }
  fprintf(file, "]}\n");
  fclose(file);
}

std::unique_lock<std::recursive_mutex> mock::lock() { return std::unique_lock<std::recursive_mutex>(mutex()); }
void mock::count(const char *function) { account().calls[function]++; }

int mock::fault(int result, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "mock libcuda: %s\n", text);
  account().faults.push_back(text);
  return result;
}

const char *mock::setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value ? value : otherwise;
}

static bool hasDevice() { return strcmp(setting("COAT_MOCK_CAPABILITY", "9.0"), "none"); }
int mock::major() { return atoi(setting("COAT_MOCK_CAPABILITY", "9.0")); }
int mock::minor() {
  const char *dot = strchr(setting("COAT_MOCK_CAPABILITY", "9.0"), '.');
  return dot ? atoi(dot + 1) : 0;
}
int mock::mostShared() { return atoi(setting("COAT_MOCK_SHARED", major() == 9 ? "232448" : "166912")); }

//===----------------------------------------------------------------------===//
// Device and contexts
//===----------------------------------------------------------------------===//

static bool initialised = false;
static char primary; // its address is the context
static thread_local std::vector<void *> contexts;

int mock::needContext(const char *function) {
  if (!contexts.empty() && contexts.back())
    return success;
  return fault(invalidContext, "%s: expected a current context", function);
}

MOCK_API cuInit(unsigned flags) {
  MOCK_ENTER();
  if (flags)
    return fault(invalidValue, "cuInit: expected flags 0");
  initialised = true;
  return hasDevice() ? success : noDevice;
}

MOCK_API cuDriverGetVersion(int *version) {
  MOCK_ENTER();
  *version = 13000;
  return success;
}

MOCK_API cuGetErrorString(int error, const char **text) {
  static const std::map<int, const char *> texts = {{invalidValue, "invalid argument"},
                                                    {outOfMemory, "out of memory"},
                                                    {noDevice, "no CUDA-capable device is detected"},
                                                    {invalidDevice, "invalid device ordinal"},
                                                    {invalidImage, "device kernel image is invalid"},
                                                    {invalidContext, "invalid device context"},
                                                    {noBinary, "no kernel image is available for execution on the device"},
                                                    {invalidHandle, "invalid resource handle"},
                                                    {notFound, "named symbol not found"},
                                                    {illegalAddress, "an illegal memory access was encountered"},
                                                    {launchFailed, "unspecified launch failure"},
                                                    {captureUnsupported, "operation not permitted when stream is capturing"}};
  auto found = texts.find(error);
  *text = found == texts.end() ? nullptr : found->second;
  return found == texts.end() ? invalidValue : success;
}

MOCK_API cuDeviceGetCount(int *n) {
  MOCK_ENTER();
  *n = hasDevice();
  return success;
}

MOCK_API cuDeviceGet(int *device, int ordinal) {
  MOCK_ENTER();
  if (!initialised)
    return fault(3, "cuDeviceGet: expected cuInit before it");
  *device = 0;
  return ordinal || !hasDevice() ? invalidDevice : success;
}

MOCK_API cuDeviceGetName(char *name, int length, int) {
  MOCK_ENTER();
  snprintf(name, size_t(length), "mock of compute capability %d.%d", major(), minor());
  return success;
}

MOCK_API cuDeviceGetAttribute(int *value, int attribute, int device) {
  MOCK_ENTER();
  if (device)
    return fault(invalidDevice, "cuDeviceGetAttribute: expected device 0, got %d", device);
  switch (attribute) {
  case 75:
    *value = major();
    return success;
  case 76:
    *value = minor();
    return success;
  case 97:
    *value = mostShared();
    return success;
  }
  return fault(invalidValue, "cuDeviceGetAttribute: attribute %d is not one that the mock knows", attribute);
}

MOCK_API cuDevicePrimaryCtxRetain(void **context, int device) {
  MOCK_ENTER();
  if (device)
    return fault(invalidDevice, "cuDevicePrimaryCtxRetain: expected device 0, got %d", device);
  account().retained++;
  *context = &primary;
  return success;
}

MOCK_API cuDevicePrimaryCtxRelease_v2(int) {
  MOCK_ENTER();
  if (account().retained-- < 1)
    return fault(invalidContext, "cuDevicePrimaryCtxRelease: expected a retained context");
  return success;
}

MOCK_API cuCtxGetCurrent(void **context) {
  MOCK_ENTER();
  *context = contexts.empty() ? nullptr : contexts.back();
  return success;
}

MOCK_API cuCtxGetDevice(int *device) {
  MOCK_ENTER();
  *device = 0;
  return needContext(__func__);
}

MOCK_API cuCtxPushCurrent_v2(void *context) {
  MOCK_ENTER();
  if (context != &primary)
    return fault(invalidContext, "cuCtxPushCurrent: expected a context of the mock");
  contexts.push_back(context);
  return success;
}

MOCK_API cuCtxPopCurrent_v2(void **context) {
  MOCK_ENTER();
  if (int result = needContext(__func__))
    return result;
  *context = contexts.back();
  contexts.pop_back();
  return success;
}

MOCK_API cuCtxSetCurrent(void *context) {
  MOCK_ENTER();
  if (context && context != &primary)
    return fault(invalidContext, "cuCtxSetCurrent: expected a context of the mock");
  if (!contexts.empty())
    contexts.pop_back();
  if (context)
    contexts.push_back(context);
  return success;
}
