// What the process may do: open interfaces at first, and then nothing that needs a privilege, and only the system calls
// it makes.
#pragma once
#include "capture/failure.h"
#include "capture/options.h"

namespace spillway::capture {

// Goes before exports and whatever else wants the processor (nice -10), where that is allowed; threads made later have
// the same.
void raisePriority();

// Root becomes `user`, with the capabilities that opening interfaces takes and no others. To be called before any file
// is touched: the folder belongs to the user, who could put a link in its place.
Failed becomeUser(const User& user);

// Gives up every capability for good, and can gain none (NoNewPrivs). To be called while there is one thread; those
// made later have no more. An AF_PACKET socket that is open needs no capability to be bound again.
Failed dropPrivileges();

// From now on every thread of the process can make only the system calls of a capture; others fail with EPERM. It
// makes no threads, no processes and no sockets any more.
Failed limitSystemCalls();

}  // namespace spillway::capture
