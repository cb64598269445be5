// What has to be made new in a child of fork().
#pragma once

namespace foxnn {

// A child has only the thread that called fork(): what the others held there would stay held for ever. Whatever is held
// by threads is derived from this, and made new in a child before anything else happens in it.
class RenewedByFork {
  public:
    // How many times fork() has been called on the way from the first process to this one.
    static unsigned forks();

    RenewedByFork(const RenewedByFork&) = delete;
    RenewedByFork& operator=(const RenewedByFork&) = delete;

  protected:
    RenewedByFork();
    ~RenewedByFork();
    // Called in the child, by its only thread. What other threads had half-way has to be forgotten, not taken apart.
    virtual void renew() noexcept = 0;

  private:
    struct All;
    RenewedByFork *previous_ = nullptr, *next_ = nullptr;
};

}  // namespace foxnn
