#include "core/plan.hpp"

namespace foxnn {

template <class T>
Plan<T>::Plan(Network<T>& network, Index rows, int workers, bool logits)
    : network_(&network), layout_(network.layout), rows_(rows), ld_inputs_(padded_stride<T>(network.n_in())) {
    passes_.reserve(network.layers.size());
    Index room_for_copies = (Index(8) << 20) / static_cast<Index>(sizeof(T));  // part of the farthest cache
    for (std::size_t l = 0; l < network.layers.size(); l++) {
        const bool last = l + 1 == network.layers.size();
        passes_.push_back(network.layers[l]->pass({l, rows, last && logits, room_for_copies}));
        scratch_size_ = std::max(scratch_size_, passes_.back()->scratch_size());
    }
    provide_for(workers);
}

template <class T>
bool Plan<T>::fits(Index rows) const {
    if (!network_ || layout_ != network_->layout || rows > rows_) return false;
    for (const auto& pass : passes_)
        if (!pass->fits()) return false;
    return true;
}

template <class T>
void Plan<T>::provide_for(int workers) {
    while (scratch_.size() < static_cast<std::size_t>(workers)) scratch_.emplace_back(scratch_size_);
}

template <class T>
void Plan<T>::forward(Inputs<T> inputs, const BatchInfo& batch, const Worker& worker) {
    for (std::size_t l = 0; l + 1 < passes_.size(); l++) {
        passes_[l]->forward(inputs_of(l, inputs), batch, worker);
        worker.barrier();
    }
}

template <class T>
std::size_t Plan<T>::lowest() const {
    std::size_t l = 0;
    const auto learns = [&] { return network_->layers[l]->trainable && !network_->layers[l]->parameters().empty(); };
    while (l < passes_.size() && !learns()) l++;
    return l;
}

// A layer's parameters change only when the gradient below it, which needs them, is done.
template <class T>
bool Plan<T>::backward(Inputs<T> inputs, std::size_t lowest, bool inputs_too, const BatchInfo& batch,
                       GradientSink<T>& sink, const Worker& worker) {
    bool finite = true;
    T* const scratch = scratch_[static_cast<std::size_t>(worker.id)].data();
    for (std::size_t l = passes_.size(); l-- > lowest;) {
        Pass<T>& pass = *passes_[l];
        pass.begin_backward(batch, sink, worker);
        if (l > lowest || inputs_too) {
            Pass<T>* const below = l ? passes_[l - 1].get() : nullptr;
            pass.backward_input(below ? below->d() : d_inputs_.data(), below ? below->ld() : ld_inputs_, below, batch,
                                sink, scratch, worker);
            worker.barrier();
        }
        if (network_->layers[l]->trainable && sink.is_wanted())
            finite &= pass.backward_parameters(inputs_of(l, inputs), batch, sink, scratch, worker);
    }
    return finite;
}

template <class T>
void Plan<T>::move_statistics(const BatchInfo& batch, const Worker& worker) {
    for (const auto& pass : passes_) pass->move_statistics(batch, worker);
}

template class Plan<float>;
template class Plan<double>;

}  // namespace foxnn
