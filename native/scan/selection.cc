#include "scan/selection.h"

#include <algorithm>

namespace spillway {

bool Selection::chainFor(uint32_t link_type, Chain* chain) const {
  chain->clear();
  for (const Filter& filter : filters_) {
    const auto found =
        std::find_if(filter.begin(), filter.end(), [&](const auto& entry) { return entry.first == link_type; });
    if (found == filter.end()) return false;
    chain->push_back(found->second.get());
  }
  return true;
}

}  // namespace spillway
