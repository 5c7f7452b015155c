// Random settings of the augmentation, valid and invalid. The ranges are those that the comments of
// augment_config.h state, written down once more: validate() is measured by them.
#pragma once

#include <random>
#include <string>

#include "augment/augment_config.h"

namespace penstock::augment {

/// Draws settings from all that is valid: a preset or none, some fields at usual values, a few at
/// any value of their range or at its ends.
AugmentConfig random_settings(std::mt19937_64& random);

/// A change of one field to any number at all.
struct FieldChange {
  AugmentConfig config;
  std::string field;  // as validate() must name it
  bool is_valid = false;
};

/// Sets one field of `config`, which is valid, to a number in or out of its range, NaN or infinity, or
/// turns a range round.
FieldChange change_to_any_number(AugmentConfig config, std::mt19937_64& random);

/// Sets one field of `config` to another valid value, so that all stay valid.
AugmentConfig with_one_field_changed(AugmentConfig config, std::mt19937_64& random);

}  // namespace penstock::augment
