// Learns a sine from noisy numbers.
#include <cmath>
#include <cstdio>
#include <foxnn/foxnn.hpp>
#include <random>
#include <vector>

int main() {
    std::mt19937 random(0);
    std::normal_distribution<float> noise(0, 0.1f);
    std::vector<float> x, y;
    for (int i = 0; i < 1000; i++) {
        x.push_back(static_cast<float>(i % 100) / 100);
        y.push_back(std::sin(6 * x.back()) + noise(random));
    }

    foxnn::NeuralNetwork nn(1, {{32, "tanh"}, {32, "tanh"}, {1}});
    foxnn::FitOptions options;
    options.epochs = 200;
    options.learning_rate = 0.01;
    nn.fit(x, y, options);

    for (const float at : {0.f, 0.25f, 0.5f, 0.75f})
        std::printf("sin(6 * %.2f) = %6.3f, and the network says %6.3f\n", at, std::sin(6 * at),
                    nn.predict(std::vector<float>{at})[0]);
}
