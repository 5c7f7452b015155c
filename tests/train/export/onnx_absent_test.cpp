// The build without libonnx: its one file, linked in place of the others.
#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"
#include "train/export/onnx_export.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(onnx_absent)

BOOST_AUTO_TEST_CASE(a_build_without_libonnx_says_what_would_bring_it) {
  BOOST_TEST(!writes_onnx());
  ModelGraph graph("small", {1, 1, 1});
  graph.set_output(graph.dense("dense", graph.input(), {.units = 2}));
  const ModelRecord record;
  try {
    write_onnx("a.onnx", {.graph = graph, .record = record, .weights = {}}, {});
    BOOST_ERROR("wrote something");
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kUnsupported));
    BOOST_TEST(error.what() ==
               std::string("onnx: this build: expected libonnx and libprotobuf, found neither "
                           "when it was configured"));
    BOOST_TEST(error.hint() ==
               "apt-get install libonnx-dev libprotobuf-dev, then configure with "
               "-DPENSTOCK_ONNX=ON");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
