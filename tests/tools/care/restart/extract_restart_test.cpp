// An extraction that is killed leaves nothing under its final name, and says what it needs to begin again.
#include <boost/test/unit_test.hpp>

#include "tests/contains.h"
#include "tests/tools/care/cared_dataset.h"
#include "tests/tools/care/restart/broken_command.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

BOOST_FIXTURE_TEST_SUITE(extract_restart, ChangePlace)

BOOST_AUTO_TEST_CASE(killed_at_any_write_it_says_what_to_remove_and_then_begins_again) {
  const fs::path out = folder.path() / "out";
  const fs::path partial = folder.path() / "out.partial";
  const std::vector<std::string> extract = {"extract", base, out, "--jobs", "1"};
  BOOST_REQUIRE(run_penstock(extract).exit_code == 0);
  const auto files = files_below(out);
  BOOST_TEST(files.size() == 20u);
  int num_kills = 0;
  int num_published = 0;
  for (const char* call : {"pwrite", "change"}) {
    for (int n = 1; n < 100; ++n) {
      fs::remove_all(out);
      fs::remove_all(partial);
      const CommandResult killed =
          run_broken(extract, {.call = call, .number = n, .what = kKill}, folder.path());
      BOOST_TEST_CONTEXT(call << " number " << n) {
        if (killed.exit_code == 0) break;
        BOOST_TEST(killed.exit_code == kKilled);
        ++num_kills;
        const CommandResult again = run_penstock(extract);
        BOOST_TEST(again.exit_code == 1);
        if (fs::exists(out)) {
          ++num_published;
          BOOST_TEST(!fs::exists(partial));
          BOOST_TEST(contains(again.err, "expected nothing there yet"));
        } else {
          BOOST_TEST(contains(again.err, "rm -r " + partial.native()));
          fs::remove_all(partial);
          BOOST_TEST(run_penstock(extract).exit_code == 0);
        }
        BOOST_TEST((files_below(out) == files));
      }
    }
  }
  BOOST_TEST(num_kills > 20);
  BOOST_TEST(num_published == 1);  // before the flush of the folder that it lies in
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
