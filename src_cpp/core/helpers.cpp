#include "core/helpers.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>

#include "core/relax.hpp"

#if defined(_WIN32)
#include <system_error>
#else
#include <pthread.h>
#include <signal.h>
#endif

namespace foxnn {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds(3);  // how long an idle thread keeps its core
constexpr auto kRetry = std::chrono::seconds(1);  // until another thread is tried to be made, after one could not
constexpr int kLooks = 200;                       // how often it looks for a task between two looks at the clock
constexpr int kSpins = 2000;                      // how often a caller looks before it yields its core

// Whether the user wants waiting threads to sleep at once, which OpenMP's variable says.
bool waits_passively() {
    const char* const policy = std::getenv("OMP_WAIT_POLICY");
    std::string word = policy ? policy : "";
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return word == "passive";
}

std::atomic<ShortageHandler> shortage_handler{nullptr};

}  // namespace

// One thread. It lives as long as the process, since there is no safe moment to join it while Python is shutting down.
class alignas(64) Helper {
  public:
    // Null if the thread cannot be made.
    static Helper* make() {
        Helper* const helper = new (std::nothrow) Helper;
        if (helper && helper->begin()) return helper;
        delete helper;
        return nullptr;
    }
    void give(const Helpers::Task& task, int id) {
        id_ = id;
        task_ = &task;
        if (!asleep_) return;
        const std::lock_guard lock(mutex_);
        woken_.notify_one();
    }
    bool is_done() const { return task_.load(std::memory_order_acquire) == nullptr; }

    Helper* next = nullptr;

  private:
    bool begin();
    void serve();
    // Waits for the next task: eagerly, in a loop that keeps the core for a while, or asleep at once.
    const Helpers::Task& wait(bool eagerly);

    std::atomic<const Helpers::Task*> task_{nullptr};  // until it is done
    std::atomic<bool> asleep_{false};
    int id_ = 0;
    std::mutex mutex_;
    std::condition_variable woken_;
};

bool Helper::begin() {
#if defined(_WIN32)
    try {
        std::thread([this] { serve(); }).detach();
        return true;
    } catch (const std::system_error&) {
        return false;
    }
#else
    // The same size of stack everywhere. Systems' own are 128 KB (musl), 512 KB (macOS) or 8 MB, which may be more than
    // a limit on memory allows.
    constexpr std::size_t stack = 1 << 20;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, stack);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const auto run = [](void* helper) -> void* {
        static_cast<Helper*>(helper)->serve();
        return nullptr;
    };
    // A thread inherits the mask of signals. All are blocked, since handlers should run in the caller's threads, except
    // for faults, which go to the thread that causes them.
    sigset_t all, before;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&all, fault);
    pthread_t thread;
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const bool begun = pthread_create(&thread, &attributes, run, this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    return begun;
#endif
}

void Helper::serve() {
    static const bool passive = waits_passively();
    Cores cores = Cores::of_thread();
    for (bool eagerly = !passive;;) {
        const Helpers::Task& task = wait(eagerly);
        if (!(cores == task.cores)) {
            cores = task.cores;
            cores.bind_caller();
        }
        eagerly = !passive && task.roomy;
        task.call(task.work, id_);
        task_.store(nullptr, std::memory_order_release);  // after this the task may no longer exist
    }
}

const Helpers::Task& Helper::wait(bool eagerly) {
    const Helpers::Task* task;
    for (const auto end = Clock::now() + kPatience; eagerly && Clock::now() < end;)
        for (int i = 0; i < kLooks; i++) {
            if ((task = task_.load(std::memory_order_acquire))) return *task;
            relax();
        }
    std::unique_lock lock(mutex_);
    // give() stores the task and then reads asleep_; here it is the other way round. So at least one sees the other's
    // store.
    asleep_ = true;
    woken_.wait(lock, [&] { return (task = task_) != nullptr; });
    asleep_ = false;
    return *task;
}

namespace {

// All idle threads. In front are those that were busy last, in the order they had, so that a caller gets the same
// threads again, which may have its data in their caches.
class Idle {
  public:
    // A list of up to `wanted` of them, and how many it has.
    Helper* take(int wanted, int& count) {
        const std::lock_guard lock(mutex_);
        Helper* first = nullptr;
        Helper** end = &first;
        for (count = 0; count < wanted; count++) {
            Helper* const helper = first_ ? std::exchange(first_, first_->next) : make(count, wanted);
            if (!helper) break;
            *end = helper;
            end = &helper->next;
        }
        *end = nullptr;
        return first;
    }
    void give_back(Helper* first) {
        Helper* last = first;
        while (last->next) last = last->next;
        const std::lock_guard lock(mutex_);
        last->next = std::exchange(first_, first);
    }

  private:
    Helper* make(int count, int wanted) {
        if (made_ >= most_helpers() || (failed_ && Clock::now() < retry_)) return nullptr;
        Helper* const helper = Helper::make();
        failed_ = !helper;
        if (helper) {
            made_++;
            return helper;
        }
        retry_ = Clock::now() + kRetry;
        if (const ShortageHandler handler = shortage_handler.exchange(nullptr)) handler(count, wanted);
        return nullptr;
    }

    std::mutex mutex_;
    Helper* first_ = nullptr;
    int made_ = 0;
    bool failed_ = false;
    Clock::time_point retry_;
};

Idle& idle() {
    static Idle& all = *new Idle;  // never destroyed: threads may still be at work while the process ends
    return all;
}

}  // namespace

int most_helpers() {
    static const int most = std::max(64, 4 * cores_of_machine());
    return most;
}

void set_shortage_handler(ShortageHandler handler) { shortage_handler = handler; }

Helpers::Helpers(int wanted) { first_ = idle().take(wanted, count_); }

Helpers::~Helpers() {
    if (first_) idle().give_back(first_);
}

void Helpers::start(const Task& task) {
    int id = 0;
    for (Helper* helper = first_; helper; helper = helper->next) helper->give(task, ++id);
}

void Helpers::finish() {
    for (const Helper* helper = first_; helper; helper = helper->next)
        for (int i = 0; !helper->is_done(); i++)
            if (i < kSpins)
                relax();
            else
                std::this_thread::yield();
}

}  // namespace foxnn
