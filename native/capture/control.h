// The control socket: clients send one command a line and get one line of JSON for each.
#pragma once
#include <poll.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/failure.h"
#include "capture/fd.h"

namespace spillway::capture {

class ControlSocket {
 public:
  // Answers one command, without the end of its line; the answer has none either.
  using Answer = std::function<std::string(std::string_view command)>;

  // Listens at `name` in the working directory, for this user alone. A socket that is left there is replaced: the
  // caller holds the folder's lock.
  Failed open(const std::string& name, Answer answer);
  ~ControlSocket();

  // Adds what is to be waited for; then handles what came of it. `polled` are the same entries.
  void addTo(std::vector<pollfd>* waits) const;
  void handle(const pollfd* polled, size_t count);

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {
    Fd fd;
    std::string line;  // not ended yet
    Clock::time_point last;
  };
  void accept();
  // False where the client is done with.
  bool read(Client* client);

  std::string name_;
  Answer answer_;
  Fd listener_;
  std::vector<Client> clients_;
};

}  // namespace spillway::capture
