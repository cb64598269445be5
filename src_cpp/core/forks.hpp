// Locks and the like, which have to be replaced in the child process after fork().
#pragma once

namespace foxnn {

// The child has only the thread that called fork(): a lock that another thread held at that moment would stay locked
// for ever. So whatever threads can hold is derived from this class, and is made new in the child before anything else
// happens there.
class RenewedByFork {
  public:
    // How many times fork() has been called on the way from the first process to this one.
    static unsigned forks();

    RenewedByFork(const RenewedByFork&) = delete;
    RenewedByFork& operator=(const RenewedByFork&) = delete;

  protected:
    RenewedByFork();
    ~RenewedByFork();
    // Called in the child, by its only thread. What other threads were in the middle of changing must not be used, not
    // even by a destructor: it is overwritten.
    virtual void renew() noexcept = 0;

  private:
    struct All;
    RenewedByFork *previous_ = nullptr, *next_ = nullptr;
};

}  // namespace foxnn
