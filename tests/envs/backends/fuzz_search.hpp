// What the fuzzer asks the native code about a capsule in an image: planner, candidates, search and
// greedy. All that it draws comes from the image, so an image alone shows a crash again.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>

#include "candidates.hpp"
#include "game.hpp"
#include "greedy.hpp"
#include "planner.hpp"
#include "planner_judge.hpp"
#include "search.hpp"

class Asker {
public:
    explicit Asker(const std::uint8_t* image) {
        std::uint32_t hash = 2166136261u;
        for (int at = 0; at < pill::layout::RAM_SIZE; ++at) hash = (hash ^ image[at]) * 16777619u;
        rng_.seed(hash);
        std::memcpy(ram_, image, sizeof ram_);
    }

    // Ask everything once. Results go into heap blocks of exactly their size.
    void ask() {
        const pill::Seat seat{ram_, draw(2)};
        pill::FallingCapsule capsule = pill::read_capsule(seat);
        ask_greedy(capsule);
        if (draw(4) == 0) scribble(&capsule, sizeof capsule);
        if (draw(2) == 0) put_inside(capsule.x, capsule.y, capsule.rotation);
        // Few capsules fit anywhere in bytes at random.
        if (draw(4) != 0) {
            std::memset(capsule.field, pill::layout::TILE_EMPTY, draw(pill::layout::CELLS));
        }
        ask_planner(capsule);
        ask_search(capsule, draw(24) == 0 ? 2 : 1);
    }

private:
    void ask_planner(const pill::FallingCapsule& capsule) {
        const auto frames = make<std::uint16_t>(pill::NUM_POSES);
        pill::plan_poses(capsule, frames.get());
        const pill::PoseSet poses = pill::find_poses(capsule);
        const int pose = draw(3) == 0 ? draw(600) - 40 : poses.pick(draw(1000) / 1000.0);
        const auto pads = make<std::uint8_t>(pill::MAX_SCRIPT_FRAMES);
        const int length = pill::plan_script(capsule, pose, draw(2) != 0, pads.get());
        pill::play_script(capsule, pads.get(), length);
        pill::CandidateInput input;
        scribble(&input, sizeof input);
        std::memcpy(input.field, capsule.field, sizeof input.field);
        if (draw(8) == 0) scribble(frames.get(), pill::NUM_POSES * sizeof frames[0]);
        const int capacity = draw(200);
        const auto rows = make<std::uint8_t>(capacity * pill::NUM_FEATURES);
        const auto found = make<std::int16_t>(capacity);
        pill::write_candidates(input, frames.get(), capacity, rows.get(), found.get());
    }

    // Nobody but a game gives it capsules, so these are as they are read.
    void ask_greedy(const pill::FallingCapsule& capsule) {
        pill::GreedyWeights weights;
        for (int at = 0; at < pill::NUM_GREEDY_WEIGHTS; ++at) {
            reinterpret_cast<double*>(&weights)[at] = draw(21) - 10.0;
        }
        const auto first = static_cast<std::uint8_t>(draw(draw(2) != 0 ? 3 : 256));
        const auto second = static_cast<std::uint8_t>(draw(3));
        const int drop = pill::choose_drop(capsule, first, second, weights);
        const auto pads = make<std::uint8_t>(pill::MAX_SCRIPT_FRAMES);
        pill::steer_capsule(capsule, draw(3) == 0 ? draw(pill::NUM_POSES) : drop, pads.get());
    }

    void ask_search(const pill::FallingCapsule& capsule, int depth) {
        pill::SearchPosition position;
        scribble(&position, sizeof position);
        std::memcpy(position.field, capsule.field, sizeof position.field);
        if (draw(2) == 0) {
            put_inside(position.x, position.y, position.rotation);
            position.speed = static_cast<std::uint8_t>(draw(3));
            for (auto& colour : position.colours) colour = static_cast<std::uint8_t>(draw(3));
            for (auto& colour : position.next_colours) colour = position.colours[draw(2)];
        }
        pill::SearchWeights weights{};
        for (float& weight : weights.capsule) weight = static_cast<float>(draw(21) - 10);
        for (float& weight : weights.bottle) weight = static_cast<float>(draw(21) - 10);
        weights.garbage_sent = static_cast<float>(draw(5));
        const auto values = make<float>(pill::NUM_POSES);
        const pill::SearchConfig config{depth, 1 + draw(16)};
        pill::search(position, weights, config, draw(2) != 0 ? values.get() : nullptr);
    }

    template <typename Item>
    static std::unique_ptr<Item[]> make(int items) {
        return std::make_unique<Item[]>(items);
    }
    int draw(int below) { return static_cast<int>(rng_() % static_cast<unsigned>(below)); }
    void scribble(void* bytes, std::size_t size) {
        for (std::size_t at = 0; at < size; ++at) {
            static_cast<std::uint8_t*>(bytes)[at] = static_cast<std::uint8_t>(rng_());
        }
    }
    void put_inside(std::uint8_t& x, std::uint8_t& y, std::uint8_t& rotation) {
        x = static_cast<std::uint8_t>(draw(pill::layout::COLUMNS));
        y = static_cast<std::uint8_t>(draw(pill::layout::ROWS));
        rotation = static_cast<std::uint8_t>(draw(pill::NUM_ROTATIONS));
    }

    std::mt19937 rng_;
    std::uint8_t ram_[pill::layout::RAM_SIZE];
};
