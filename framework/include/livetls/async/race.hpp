#pragma once

#include <cstddef>
#include <vector>

#include "livetls/async/task.hpp"

namespace livetls {

/// Runs tasks at once, on the caller's executor, until the first of them has ended, by returning
/// or by throwing: the others are cancelled then, and waited for. Returns which one was first, by
/// its index, and rethrows what that one threw. What the others throw is dropped: it is how a
/// cancelled task ends. Cancelling the caller cancels them all.
Task<std::size_t> first_of(std::vector<Task<void>> tasks);
Task<std::size_t> first_of(Task<void> one, Task<void> other);

/// Runs tasks at once, on the caller's executor, until all have ended. When one throws, the others
/// are cancelled, and waited for; what the first threw is rethrown then. Cancelling the caller
/// cancels them all.
Task<void> all_of(std::vector<Task<void>> tasks);
Task<void> all_of(Task<void> one, Task<void> other);

}  // namespace livetls
