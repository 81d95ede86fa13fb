// What the process may do once interfaces are open: nothing that needs a privilege, and only the system calls it makes.
#pragma once
#include <optional>

#include "capture/failure.h"
#include "capture/options.h"

namespace spillway::capture {

// Becomes `user` where there is one, gives up every capability for good, and can gain none (NoNewPrivs). To be called
// while there is one thread; those made later have no more. An AF_PACKET socket that is open needs no capability to be
// bound again.
Failed dropPrivileges(const std::optional<User>& user);

// From now on every thread of the process can make only the system calls of a capture; others fail with EPERM. It
// makes no threads, no processes and no sockets any more.
Failed limitSystemCalls();

}  // namespace spillway::capture
