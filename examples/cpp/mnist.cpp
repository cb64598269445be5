// Trains a network on MNIST:
//
//     mnist FOLDER [EPOCHS]
//
// FOLDER has MNIST's four files, unpacked. A part of the digits comes with foxnn, in foxnn/datasets/mnist_sample.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <foxnn/foxnn.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

// The bytes of a file without its header: four, of which the last counts the lengths that follow, of four bytes each.
std::vector<std::uint8_t> read_idx(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t header = bytes.size() < 4 ? 4 : 4 + 4 * bytes[3];
    if (bytes.size() < header) throw std::runtime_error("no " + path + " (gunzip unpacks what ends with .gz)");
    return {bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end()};
}

int main(int count, char** arguments) try {
    if (count < 2) throw std::runtime_error("it takes the folder with MNIST's files, and perhaps a number of epochs");
    const std::string folder = arguments[1];
    const auto x_train = read_idx(folder + "/train-images-idx3-ubyte");
    const auto y_train = read_idx(folder + "/train-labels-idx1-ubyte");
    const auto x_test = read_idx(folder + "/t10k-images-idx3-ubyte");
    const auto y_test = read_idx(folder + "/t10k-labels-idx1-ubyte");

    foxnn::NeuralNetwork nn(28 * 28, {{512, "relu", 0.2}, {512, "relu", 0.2}, {10, "softmax"}});

    foxnn::FitOptions options;
    options.epochs = count > 2 ? std::atoi(arguments[2]) : 10;
    options.batch_size = 100;
    options.optimizer = "adam";
    options.learning_rate = 1e-3;
    options.on_epoch_end = [](const foxnn::EpochResult& epoch) {
        std::printf("epoch %2d: loss %.4f, accuracy %.2f%%, %.1f s\n", epoch.epoch, epoch.loss, 100 * epoch.accuracy,
                    epoch.seconds);
        return true;
    };
    nn.fit(x_train, y_train, options);

    std::printf("test accuracy %.2f%%\n", 100 * nn.evaluate(x_test, y_test).accuracy);
} catch (const std::exception& error) {
    std::fprintf(stderr, "mnist: %s\n", error.what());
    return EXIT_FAILURE;
}
