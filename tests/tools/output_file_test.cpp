#include "tools/output_file.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>

#include "streamer/core/error.h"
#include "tests/temporary_folder.h"
#include "tests/tools/forbidden_folder.h"

namespace penstock::tools {
namespace {

namespace fs = std::filesystem;

/// The code and the text of the refusal; empty when there is none.
std::string refusal(const fs::path& path, ExistingFile existing) {
  try {
    check_output_file(path, existing);
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.what();
  }
  return {};
}

BOOST_AUTO_TEST_SUITE(output_file)

BOOST_AUTO_TEST_CASE(a_new_file_passes_and_one_that_exists_only_if_it_may_be_replaced) {
  const tests::TemporaryFolder folder;
  const fs::path file = folder.path() / "sheet.png";
  BOOST_TEST(refusal(file, ExistingFile::kRefuse) == "");
  std::ofstream(file) << "mine";
  BOOST_TEST(refusal(file, ExistingFile::kRefuse) ==
             std::string(error_code_name(ErrorCode::kAlreadyExists)) +
                 ": output: " + file.native() + ": expected nothing there, found a file");
  BOOST_TEST(refusal(file, ExistingFile::kReplace) == "");
  fs::remove(file);
  fs::create_symlink("nowhere", file);
  BOOST_TEST(refusal(file, ExistingFile::kRefuse) != "");
}

BOOST_AUTO_TEST_CASE(a_folder_is_never_replaced) {
  const tests::TemporaryFolder folder;
  for (const ExistingFile existing : {ExistingFile::kRefuse, ExistingFile::kReplace}) {
    BOOST_TEST(refusal(folder.path(), existing) ==
               std::string(error_code_name(ErrorCode::kAlreadyExists)) + ": output: " +
                   folder.path().native() + ": expected a file or nothing, found a folder");
  }
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_missing_or_closed_is_refused) {
  const tests::TemporaryFolder folder;
  const fs::path missing = folder.path() / "not";
  BOOST_TEST(refusal(missing / "a.png", ExistingFile::kReplace) ==
             std::string(error_code_name(ErrorCode::kNotFound)) + ": output: " + missing.native() +
                 ": expected a folder, found none");
  fs::create_directory(missing);
  const tests::ForbiddenFolder closed(missing, fs::perms::owner_read | fs::perms::owner_exec);
  BOOST_TEST(refusal(missing / "a.png", ExistingFile::kReplace) ==
             std::string(error_code_name(ErrorCode::kIo)) + ": output: " + missing.native() +
                 ": expected a folder to write to");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
