// Candidates as flat C functions; `envs/backends/native_candidates.py` declares the same.
#include "api.hpp"
#include "candidates.hpp"

// Names and largest values of the features, each followed by a space.
PILL_API const char* pill_features() noexcept {
    return
#define FEATURE(name, high) #name " " #high " "
#include "features.def"
#undef FEATURE
        ;
}

// Rows for the poses of one capsule: uint16 frames (512,) in, uint8 rows (capacity, features) and
// int16 poses (capacity,) out; returns how many.
PILL_API std::int32_t pill_write_candidates(const pill::CandidateInput* input,
                                            const std::uint16_t* frames, std::int32_t capacity,
                                            std::uint8_t* rows, std::int16_t* poses) noexcept {
    return pill::write_candidates(*input, frames, capacity, rows, poses);
}
