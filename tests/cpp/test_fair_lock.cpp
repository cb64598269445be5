// The lock of a network: nobody is overtaken, nobody starves, and a child of fork() finds it free.
#include <random>
#include <thread>
#include <vector>

#include "core/fair_lock.hpp"
#include "expect.hpp"
#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using foxnn::FairLock;

namespace {

void until(const std::atomic<bool>& condition) {
    while (!condition) std::this_thread::yield();
}

void until_awaited(const FairLock& lock) {
    while (!lock.is_awaited()) std::this_thread::yield();
}

void test_many_share_and_one_has_it_alone() {
    FairLock lock;
    lock.lock_shared();
    expect(lock.try_lock_shared(), "a second one shares it");
    expect(!lock.try_lock(), "nobody has it alone meanwhile");
    lock.unlock_shared();
    lock.unlock_shared();
    expect(lock.try_lock(), "one has it alone");
    expect(!lock.try_lock() && !lock.try_lock_shared(), "nobody else has it then");
    lock.unlock();
    expect(lock.try_lock_shared(), "it is free again");
}

void test_nobody_overtakes_who_waits() {
    FairLock lock;
    std::atomic<bool> written{false}, read{false};
    lock.lock_shared();
    std::thread writer([&] {
        lock.lock();
        expect(!read, "who came later is not before");
        written = true;
        lock.unlock();
    });
    until_awaited(lock);
    expect(!lock.try_lock_shared(), "no reader overtakes a writer that waits");
    std::thread reader([&] {
        lock.lock_shared();
        expect(written, "who came first has been there");
        read = true;
        lock.unlock_shared();
    });
    lock.unlock_shared();
    writer.join();
    reader.join();
    expect(!lock.is_awaited() && lock.try_lock(), "nobody is left, and it is free");
}

// Readers that come again and again, and a writer that does: neither waits for ever, and nobody sees half of a change.
void test_neither_readers_nor_writers_starve() {
    FairLock lock;
    long one = 0, other = 0;
    std::atomic<bool> stop{false};
    std::atomic<long> reads{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; i++)
        readers.emplace_back([&] {
            while (!stop) {
                lock.lock_shared();
                expect(one == other, "a reader sees whole changes");
                lock.unlock_shared();
                reads++;
            }
        });
    for (int i = 0; i < 2000; i++) {
        lock.lock();
        one++;
        other++;
        lock.unlock();
        if (i % 3 > 0) continue;
        lock.lock_shared();  // in its own turn, in which it is one of those who wait
        lock.unlock_shared();
    }
    const long before = reads;
    while (reads < before + 100) std::this_thread::yield();
    stop = true;
    for (auto& reader : readers) reader.join();
    expect(one == 2000, "every change is made");
}

// A turn may be over before the one who waits for its end has heard of it; nobody may go on waiting then.
void test_short_turns_end() {
    FairLock lock;
    std::atomic<bool> stop{false};
    const auto work = [](unsigned microseconds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
        while (std::chrono::steady_clock::now() < end) {
        }
    };
    std::thread reader([&] {
        std::minstd_rand random(2);
        while (!stop) {
            lock.lock_shared();
            work(random() % 20);
            lock.unlock_shared();
        }
    });
    std::minstd_rand random(1);
    for (int i = 0; i < 100'000; i++) {
        lock.lock();
        work(random() % 20);
        lock.unlock();
        if (random() % 3 > 0) continue;
        lock.lock_shared();
        lock.unlock_shared();
    }
    stop = true;
    reader.join();
}

void test_a_forked_child_finds_it_free() {
#if !defined(_WIN32)
    FairLock lock;
    std::atomic<bool> held{false}, done{false};
    std::thread writer([&] {
        lock.lock();
        held = true;
        until(done);
        lock.unlock();
    });
    until(held);
    std::thread reader([&] {
        lock.lock_shared();
        lock.unlock_shared();
    });
    until_awaited(lock);
    const unsigned before = foxnn::RenewedByFork::forks();
    const pid_t child = fork();
    if (child == 0) {
        alarm(10);  // rather than wait for ever
        lock.lock();
        lock.unlock();
        lock.lock_shared();
        _exit(foxnn::RenewedByFork::forks() == before + 1 && !lock.is_awaited() ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    expect(status == 0, "the child has the lock");
    expect(foxnn::RenewedByFork::forks() == before, "the parent counts no fork");
    done = true;
    writer.join();
    reader.join();
#endif
}

}  // namespace

int main() {
    test_many_share_and_one_has_it_alone();
    test_nobody_overtakes_who_waits();
    test_neither_readers_nor_writers_starve();
    test_short_turns_end();
    test_a_forked_child_finds_it_free();
    return exit_status();
}
