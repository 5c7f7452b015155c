#include "tools/convert/source/split_draw.h"

namespace penstock::convert {

bool draws_splits(const PictureList& pictures) {
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (pictures[i].split) return false;
  }
  return true;
}

SplitRule split_rule_of(const PictureList& pictures, const SplitRequest& request) {
  const bool has_splits = !draws_splits(pictures);
  const SplitRule defaults;
  SplitRule rule{.validation_fraction = request.validation_fraction.value_or(
                     has_splits ? 0.0 : defaults.validation_fraction),
                 .test_fraction = request.test_fraction.value_or(0.0),
                 .seed = request.seed};
  rule.validate();
  return rule;
}

void draw_splits(PictureList& pictures, const SplitRule& rule) {
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const ListedPicture picture = pictures[i];
    if (!picture.split) pictures.set_split(i, rule.split_of(picture.name));
  }
}

}  // namespace penstock::convert
