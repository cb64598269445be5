// A trainer as Python has it.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/locks.hpp"
#include "core/trainer.hpp"

namespace foxnn {

// A trainer that works without the GIL. If another thread calls fork() meanwhile, the child does not have the thread
// that was working, and the trainer's memory may be in the middle of a change: the child does not touch it, and makes a
// trainer of its own.
template <class T>
class TrainerOwner {
  public:
    const Network<T>& network;

    TrainerOwner(Network<T>& net, std::string loss, std::vector<double> parameters)
        : network(net), net_(net), loss_(std::move(loss)), parameters_(std::move(parameters)), trainer_(made()) {}

    // The trainer, for one call: made and taken away with the GIL held, as fork() is called.
    class Use {
      public:
        explicit Use(TrainerOwner& owner) : owner_(owner) {
            owner.renew();
            owner.uses_++;
        }
        ~Use() { owner_.uses_--; }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        Trainer<T>& operator*() const { return *owner_.trainer_; }

      private:
        TrainerOwner& owner_;
    };

  private:
    void renew() {
        const unsigned forks = RenewedByFork::forks();
        if (forks == forks_) return;
        forks_ = forks;
        if (uses_ == 0) return;
        (void)trainer_.release();
        trainer_ = made();
        uses_ = 0;
    }
    std::unique_ptr<Trainer<T>> made() const {
        const auto lock = to_read(network);
        return std::make_unique<Trainer<T>>(net_, loss_.empty() ? NetworkLoss<T>() : net_.use_loss(loss_, parameters_));
    }

    Network<T>& net_;
    const std::string loss_;
    const std::vector<double> parameters_;
    std::unique_ptr<Trainer<T>> trainer_;
    std::atomic<int> uses_{0};
    unsigned forks_ = RenewedByFork::forks();
};

}  // namespace foxnn
