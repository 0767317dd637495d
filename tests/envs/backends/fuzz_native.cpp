// Feeds the simulator images that no game leaves, under address and undefined-behaviour
// sanitizers: `fuzz_native CORPUS INPUTS SEED CRASH`.
//
// CORPUS holds images of 2048 bytes one after the other. Each input is one of them with bytes
// changed, or bytes at random, and is played for some frames with random pads; some are asked about
// by planner and search as well. Every image lies in a heap block of exactly its size, so a step
// outside it is seen. The input that crashes or hangs is written to CRASH; it belongs into
// tests/golden/fuzz_findings.ram.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "fuzz_search.hpp"
#include "game.hpp"

namespace {

using namespace pill::layout;
using Image = std::vector<std::uint8_t>;

constexpr int HANG_SECONDS = 60;
constexpr int MAX_FRAMES = 24;
constexpr int INPUTS_BETWEEN_QUESTIONS = 16;  // planner and search take as long as many frames

std::uint8_t playing[RAM_SIZE];  // the input being played
const char* crash_path;

void keep_input(int signal) {
    const int file = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const bool kept = file >= 0 && write(file, playing, RAM_SIZE) == RAM_SIZE;
    _exit(kept ? signal : 1);
}

std::vector<Image> read_corpus(const char* path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<Image> images;
    for (std::size_t at = 0; at + RAM_SIZE <= bytes.size(); at += RAM_SIZE) {
        images.emplace_back(bytes.begin() + at, bytes.begin() + at + RAM_SIZE);
    }
    return images;
}

class Fuzzer {
public:
    Fuzzer(std::vector<Image> corpus, unsigned seed) : corpus_(std::move(corpus)), rng_(seed) {}

    Image draw_input() {
        Image image(RAM_SIZE);
        if (draw(4) == 0) {
            for (std::uint8_t& byte : image) byte = draw_byte();
        } else {
            image = corpus_[draw(static_cast<int>(corpus_.size()))];
            for (int change = draw(12); change > 0; --change) image[draw_address()] = draw_byte();
        }
        // Most of the rules are behind the few values of the mode and the next action.
        constexpr int modes[] = {MODE_SETUP,   MODE_PLAY, MODE_PLAY,
                                 MODE_TOP_OUT, MODE_END,  MODE_INTRO};
        if (draw(8) != 0) image[MODE] = static_cast<std::uint8_t>(modes[draw(6)]);
        if (image[MODE] == MODE_PLAY && draw(4) != 0) {
            image[PAUSED] = image[PHASE] = 0;
            for (const int block : {PLAYER1, PLAYER2}) {
                image[block + P_NEXT_ACTION] = static_cast<std::uint8_t>(draw(8));
                const auto step = static_cast<std::uint8_t>(draw(10));
                if (draw(2) == 0) image[block + P_PLACED_STEP] = step;
                if (draw(2) == 0) image[block + P_STATUS] = 0xFF;
            }
        }
        return image;
    }

    void play(const Image& image) {
        std::memcpy(playing, image.data(), RAM_SIZE);
        const std::unique_ptr<std::uint8_t[]> ram(new std::uint8_t[RAM_SIZE]);
        std::memcpy(ram.get(), image.data(), RAM_SIZE);
        const int frames = 1 + draw(MAX_FRAMES);
        for (int frame = 0; frame < frames; ++frame) {
            pill::step_frame(ram.get(), draw_byte(), draw_byte());
            pill::can_all_act(ram.get());
        }
    }

private:
    int draw(int below) { return static_cast<int>(rng_() % static_cast<unsigned>(below)); }
    std::uint8_t draw_byte() {
        constexpr std::uint8_t edges[] = {0, 1, 3, 7, 8, 15, 16, 127, 128, 0xD3, 0xF3, 0xFE, 0xFF};
        return draw(3) == 0 ? edges[draw(sizeof edges)] : static_cast<std::uint8_t>(rng_());
    }
    int draw_address() {
        switch (draw(4)) {
            case 0:
                return PLAYER1 + draw(PLAYER_BLOCK_SIZE);
            case 1:
                return PLAYER2 + draw(PLAYER_BLOCK_SIZE);
            case 2:
                return FIELD1 + draw(0x200);
            default:
                return draw(RAM_SIZE);
        }
    }

    std::vector<Image> corpus_;
    std::mt19937 rng_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    std::vector<Image> corpus = read_corpus(argv[1]);
    if (corpus.empty()) return 2;
    crash_path = argv[4];
    for (const int signal : {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) {
        std::signal(signal, keep_input);
    }
    const long inputs = std::atol(argv[2]);
    Fuzzer fuzzer(corpus, static_cast<unsigned>(std::atoi(argv[3])));
    alarm(HANG_SECONDS);
    for (const Image& image : corpus) {
        fuzzer.play(image);
        Asker(image.data()).ask();
    }
    for (long input = 0; input < inputs; ++input) {
        if (input % 4096 == 0) alarm(HANG_SECONDS);
        const Image image = fuzzer.draw_input();
        fuzzer.play(image);
        if (input % INPUTS_BETWEEN_QUESTIONS == 0) Asker(image.data()).ask();
    }
    std::printf("%ld inputs\n", inputs);
    return 0;
}
