// Streams that run what they get at once, and the capture of CUDA graphs, which keeps it.
#include "mock.h"
#include <ctime>
#include <set>

using namespace mock;

struct mock::Stream {
  bool captures = false;
  std::vector<std::function<int()>> captured;
};

namespace {
using Graph = std::vector<std::function<int()>>;
std::set<Stream *> streams;
std::set<Graph *> graphs, executables;
} // namespace

bool mock::isKnown(Stream *stream) { return !stream || streams.count(stream); }

bool mock::capturing() {
  for (Stream *stream : streams)
    if (stream->captures)
      return true;
  return false;
}

int mock::enqueue(Stream *stream, std::function<int()> work) {
  if (!isKnown(stream))
    return fault(invalidHandle, "launch: expected a stream");
  if (!stream && capturing())
    return fault(captureUnsupported, "launch: expected a stream other than the default one while one captures");
  if (!stream || !stream->captures)
    return work();
  stream->captured.push_back(std::move(work));
  return success;
}

MOCK_API cuStreamCreate(Stream **stream, unsigned) {
  MOCK_ENTER();
  *stream = new Stream;
  streams.insert(*stream);
  return needContext(__func__);
}

MOCK_API cuStreamDestroy_v2(Stream *stream) {
  MOCK_ENTER();
  if (!streams.erase(stream))
    return fault(invalidHandle, "cuStreamDestroy: expected a stream");
  delete stream;
  return success;
}

MOCK_API cuStreamSynchronize(Stream *stream) {
  MOCK_ENTER();
  if (int result = needContext(__func__))
    return result;
  if (!isKnown(stream))
    return fault(invalidHandle, "cuStreamSynchronize: expected a stream");
  return capturing() ? fault(captureUnsupported, "cuStreamSynchronize: expected no stream to capture") : success;
}

MOCK_API cuStreamBeginCapture_v2(Stream *stream, int) {
  MOCK_ENTER();
  if (!stream || !isKnown(stream) || stream->captures)
    return fault(invalidHandle, "cuStreamBeginCapture: expected a stream of one's own that does not capture yet");
  stream->captures = true;
  return success;
}

MOCK_API cuStreamEndCapture(Stream *stream, Graph **graph) {
  MOCK_ENTER();
  if (!stream || !isKnown(stream) || !stream->captures)
    return fault(invalidHandle, "cuStreamEndCapture: expected a stream that captures");
  stream->captures = false;
  *graph = new Graph(std::move(stream->captured));
  stream->captured.clear();
  graphs.insert(*graph);
  return success;
}

MOCK_API cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, unsigned long long) {
  MOCK_ENTER();
  if (!graphs.count(graph))
    return fault(invalidHandle, "cuGraphInstantiate: expected a graph");
  *executable = new Graph(*graph);
  executables.insert(*executable);
  return success;
}

MOCK_API cuGraphLaunch(Graph *executable, Stream *stream) {
  MOCK_ENTER();
  if (!executables.count(executable) || !isKnown(stream))
    return fault(invalidHandle, "cuGraphLaunch: expected an instantiated graph and a stream");
  for (auto &work : *executable)
    if (int result = enqueue(stream, work))
      return result;
  return success;
}

MOCK_API cuGraphDestroy(Graph *graph) {
  MOCK_ENTER();
  if (!graphs.erase(graph))
    return fault(invalidHandle, "cuGraphDestroy: expected a graph");
  delete graph;
  return success;
}

MOCK_API cuGraphExecDestroy(Graph *executable) {
  MOCK_ENTER();
  if (!executables.erase(executable))
    return fault(invalidHandle, "cuGraphExecDestroy: expected an instantiated graph");
  delete executable;
  return success;
}

// Events have the time of day: nothing here takes time that would mean anything.
MOCK_API cuEventCreate(double **event, unsigned) {
  MOCK_ENTER();
  *event = new double(0);
  return success;
}

MOCK_API cuEventDestroy_v2(double *event) {
  MOCK_ENTER();
  delete event;
  return success;
}

MOCK_API cuEventRecord(double *event, Stream *stream) {
  MOCK_ENTER();
  if (!isKnown(stream))
    return fault(invalidHandle, "cuEventRecord: expected a stream");
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  *event = double(now.tv_sec) * 1e3 + double(now.tv_nsec) * 1e-6;
  return success;
}

MOCK_API cuEventSynchronize(double *) {
  MOCK_ENTER();
  return success;
}

MOCK_API cuEventElapsedTime(float *milliseconds, double *begin, double *end) {
  MOCK_ENTER();
  *milliseconds = float(*end - *begin);
  return success;
}
