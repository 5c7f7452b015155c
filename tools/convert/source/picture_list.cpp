#include "tools/convert/source/picture_list.h"

namespace penstock::convert {

void PictureList::reserve(std::size_t num_pictures, std::uint64_t name_bytes) {
  names_.reserve(name_bytes);
  name_ends_.reserve(num_pictures);
  sizes_bytes_.reserve(num_pictures);
  places_.reserve(num_pictures);
  modified_ns_.reserve(num_pictures);
  class_idxs_.reserve(num_pictures);
  splits_.reserve(num_pictures);
}

void PictureList::add(const ListedPicture& picture) {
  names_ += picture.name;
  name_ends_.push_back(names_.size());
  sizes_bytes_.push_back(picture.size_bytes);
  places_.push_back(picture.place);
  modified_ns_.push_back(picture.modified_ns);
  class_idxs_.push_back(picture.class_idx);
  splits_.push_back(picture.split);
  total_bytes_ += picture.size_bytes;
}

std::string_view PictureList::name(std::size_t picture_idx) const noexcept {
  const std::uint64_t begin = picture_idx == 0 ? 0 : name_ends_[picture_idx - 1];
  return std::string_view(names_).substr(begin, name_ends_[picture_idx] - begin);
}

ListedPicture PictureList::operator[](std::size_t picture_idx) const noexcept {
  return {.name = name(picture_idx),
          .size_bytes = sizes_bytes_[picture_idx],
          .place = places_[picture_idx],
          .modified_ns = modified_ns_[picture_idx],
          .class_idx = class_idxs_[picture_idx],
          .split = splits_[picture_idx]};
}

std::uint64_t PictureList::memory_bytes() const noexcept {
  return names_.capacity() + name_ends_.capacity() * sizeof(name_ends_[0]) +
         sizes_bytes_.capacity() * sizeof(sizes_bytes_[0]) +
         places_.capacity() * sizeof(places_[0]) +
         modified_ns_.capacity() * sizeof(modified_ns_[0]) +
         class_idxs_.capacity() * sizeof(class_idxs_[0]) + splits_.capacity() * sizeof(splits_[0]);
}

}  // namespace penstock::convert
