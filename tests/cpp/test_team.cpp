// Every piece of work is done by one worker, once, whichever of them are slow; and no one passes a barrier early.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/threads.hpp"

using namespace foxnn;

int main() {
    constexpr Index rounds = 3000, most = 9;
    constexpr Queue queues[] = {Queue::products, Queue::even_updates, Queue::odd_updates};
    std::atomic<long> wrong{0}, stolen{0};
    for (const int count : {2, 3, 5}) {
        std::vector<std::atomic<int>> done(static_cast<std::size_t>(kQueues * count * most));
        run_team(count, [&](const Worker& worker) {
            if (worker.count != count) wrong++;
            for (Index round = 0; round < rounds; round++) {
                const Index n = 1 + round % most;  // in each queue; the same queues serve round after round
                for (const Queue queue : queues)
                    worker.share_out(queue, n, [&](Index i) {
                        const Index owner = i / n, row = static_cast<int>(queue) * count + owner;
                        done[static_cast<std::size_t>(row * most + i % n)]++;
                        stolen += owner != worker.id;
                        volatile int x = 0;
                        if (worker.id == round % count)  // a slow one, each in turn
                            for (int k = 0; k < 500; k++) x = x + 1;
                    });
                worker.barrier();
                if (worker.id == 0)
                    for (std::size_t i = 0; i < done.size(); i++)
                        wrong += done[i].exchange(0) != (static_cast<Index>(i) % most < n);
                worker.barrier();
            }
        });
    }
    std::printf("%ld pieces wrong, %ld done by another than their owner\n", wrong.load(), stolen.load());
    return wrong || !stolen ? EXIT_FAILURE : EXIT_SUCCESS;
}
