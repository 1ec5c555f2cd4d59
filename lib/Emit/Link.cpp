// The in-process linker: users of coat need no tool chain to get a shared library.
#include "Link.h"
#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>
#include <vector>

LLD_HAS_DRIVER(elf)

using namespace llvm;

Error coat::runLinker(ArrayRef<std::string> arguments) {
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return createStringError("expected a working linker, but an earlier run crashed in this process");
  std::vector<const char *> raw = {"ld.lld"};
  for (const std::string &argument : arguments)
    raw.push_back(argument.c_str());
  std::string messages;
  raw_string_ostream os(messages);
  lld::Result result = lld::lldMain(raw, os, os, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode == 0)
    return Error::success();
  // A full disk is not our bug.
  StringRef text = StringRef(messages).trim();
  for (StringRef start : {"failed to open ", "failed to write "})
    if (size_t at = text.find(start); at != StringRef::npos)
      return createFileError(arguments[1],
                             createStringError(text.drop_front(at).take_until([](char c) { return c == '\n'; })));
  return createStringError("expected the objects to link: %s", messages.c_str());
}
