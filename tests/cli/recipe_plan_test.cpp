// The recipes of tools/recipes as penstock plan sees them.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "fixtures/cifar_batch.h"
#include "tests/cli/run_command.h"
#include "tests/contains.h"
#include "tests/temporary_folder.h"

namespace penstock::tests {
namespace {

namespace fs = std::filesystem;

BOOST_AUTO_TEST_SUITE(recipe_plan)

// On more pictures than the largest step takes, 512. In float32, which every machine has: a recipe in bfloat16
// holds less.
BOOST_AUTO_TEST_CASE(every_recipe_fits_the_memory_that_it_states) {
  const TemporaryFolder folder;
  const std::string source = (folder.path() / "cifar").string();
  const std::string dataset = (folder.path() / "cifar.ds").string();
  fixtures::make_cifar_10(source, 104, 1);
  const CommandResult converted = run_penstock({"convert", source, dataset, "--quiet"});
  BOOST_REQUIRE_MESSAGE(converted.exit_code == 0, converted.err);
  std::size_t num_recipes = 0;
  for (const auto& recipe :
       fs::directory_iterator(fs::path(PENSTOCK_SOURCE_DIR) / "tools/recipes")) {
    if (recipe.path().extension() != ".toml") continue;
    ++num_recipes;
    const CommandResult plan = run_penstock(
        {"plan", dataset, "--config", recipe.path().string(), "--precision", "float32"});
    BOOST_TEST_CONTEXT(recipe.path()) {
      BOOST_TEST(plan.exit_code == 0, plan.err);
      const bool fits =
          contains(plan.out, "\nfits    as it is: nothing is cut or computed again\n") ||
          contains(plan.out, ", as asked for; batch norm sees ");
      BOOST_TEST(fits, plan.out);
    }
  }
  BOOST_TEST(num_recipes > 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
