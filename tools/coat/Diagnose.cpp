// Text or JSON diagnostics, MLIR's diagnostics in our form, and crashes.
#include "Diagnose.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <csignal>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace coat::tool;

static bool asJson = false;
void coat::tool::setJsonDiagnostics(bool on) { asJson = on; }

static const char *kindOf(Status status) {
  return status == unsupported ? "unsupported" : status == bug ? "internal" : "error";
}

/// Names in a model may hold anything and be of any length: the message stays one line that can be read.
static std::string readable(std::string text) {
  constexpr size_t most = 4000, end = 1000;
  if (text.size() > most)
    text = text.substr(0, most - end) + " .. " + text.substr(text.size() - end);
  std::replace_if(text.begin(), text.end(), [](char c) { return uint8_t(c) < ' ' || c == 127; }, ' ');
  return llvm::json::fixUTF8(text);
}

Status coat::tool::fail(Status status, const llvm::Twine &message) {
  std::string text = readable(message.str());
  if (asJson)
    llvm::errs() << llvm::json::Value(
                        llvm::json::Object{{"kind", kindOf(status)}, {"exit", int(status)}, {"message", text}})
                 << "\n";
  else
    llvm::errs() << text << "\n";
  return status;
}

Status coat::tool::fail(Status status, llvm::Error error) { return fail(status, llvm::toString(std::move(error))); }

//===----------------------------------------------------------------------===//
// MLIR
//===----------------------------------------------------------------------===//

namespace {
/// What a location says about the model: the node that an op came from and the file.
struct Origin {
  std::string node, file;

  void read(mlir::Location loc) {
    if (auto name = mlir::dyn_cast<mlir::NameLoc>(loc)) {
      if (node.empty())
        node = name.getName().str();
      read(name.getChildLoc());
    } else if (auto fused = mlir::dyn_cast<mlir::FusedLoc>(loc)) {
      for (mlir::Location part : fused.getLocations())
        read(part);
    } else if (auto place = mlir::dyn_cast<mlir::FileLineColLoc>(loc); place && file.empty()) {
      file = place.getFilename().str();
      if (place.getLine() > 0)
        file += ":" + std::to_string(place.getLine()) + ":" + std::to_string(place.getColumn());
    }
  }
};
} // namespace

Collect::Collect(mlir::MLIRContext &context)
    : handler(&context, [this](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error || !first.empty())
          return mlir::success();
        Origin origin;
        origin.read(diagnostic.getLocation());
        if (!origin.file.empty())
          first += origin.file + ": ";
        if (!origin.node.empty())
          first += "node '" + origin.node + "': ";
        first += diagnostic.str();
        return mlir::success();
      }) {}

//===----------------------------------------------------------------------===//
// Crashes
//===----------------------------------------------------------------------===//

static std::string commandLine;
static const char *doing = "start";
static std::vector<char *> reproduce; // this program's arguments, but to write the imported model and stop
static char reproducer[64];

void coat::tool::nowDoing(const char *what) { doing = what; }

static void say(const char *text) { (void)!write(STDERR_FILENO, text, strlen(text)); }

/// Imports the model again in a new process, which writes what the stages were given. False when that fails, too.
static bool writeReproducer() {
  if (reproduce.empty())
    return false;
  pid_t child = fork();
  if (child == 0) {
    execv("/proc/self/exe", reproduce.data());
    _exit(127);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/// Runs in a signal handler: nothing that allocates.
static void onCrash(void *) {
  bool written = writeReproducer();
  say("coat: internal error in ");
  say(doing);
  say("; please report it with ");
  say(written ? reproducer : "the model");
  say(" and: ");
  say(commandLine.c_str());
  say("\n");
  _exit(bug);
}

void coat::tool::reportCrashes(int argc, char **argv) {
  bool compiles = argc > 1 && llvm::StringRef(argv[1]) == "compile", stops = false;
  for (int i = 0; i < argc; ++i) {
    llvm::StringRef word = argv[i];
    commandLine += (i ? " " : "") + (i ? word.str() : "coat");
    stops |= word.ltrim('-').starts_with("stop-after");
    if (word == "-o")
      commandLine += " " + (++i < argc ? std::string(argv[i]) : "");
    else if (word.ltrim('-') != "package" && word.ltrim('-') != "save-temps")
      reproduce.push_back(argv[i]);
  }
  snprintf(reproducer, sizeof reproducer, "/tmp/coat-reproducer-%d.mlirbc", int(getpid()));
  static char stop[] = "--stop-after=import", output[] = "-o";
  reproduce.insert(reproduce.end(), {stop, output, reproducer, nullptr});
  if (!compiles || stops)
    reproduce.clear();
  llvm::setBugReportMsg("");
  llvm::sys::AddSignalHandler(onCrash, nullptr);
  signal(SIGXFSZ, SIG_IGN); // a file that may not grow is a full disk: the write fails
}
