#include "capture/control.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>

#include "capture/limits.h"

namespace spillway::capture {

Failed ControlSocket::open(const std::string& name, Answer answer) {
  name_ = name;
  answer_ = std::move(answer);
  const auto failed = [&] { return Failure{Code::folder_unusable, withErrno("no control socket " + name, errno)}; };
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener_) return failed();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), std::min(name.size(), sizeof address.sun_path - 1));
  ::unlink(name.c_str());
  // The mode is that of the file from its first moment.
  const mode_t before = ::umask(0177);
  const int bound = ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound != 0 || ::listen(listener_.get(), 8) != 0) return failed();
  return std::nullopt;
}

ControlSocket::~ControlSocket() {
  if (listener_) ::unlink(name_.c_str());
}

void ControlSocket::addTo(std::vector<pollfd>* waits) const {
  waits->push_back({listener_.get(), static_cast<short>(clients_.size() < limits::kMaxControlClients ? POLLIN : 0), 0});
  for (const Client& client : clients_) waits->push_back({client.fd.get(), POLLIN, 0});
}

void ControlSocket::handle(const pollfd* polled, size_t count) {
  const auto idle = Clock::now() - std::chrono::milliseconds(limits::kControlIdleMs);
  std::vector<Client> kept;
  for (size_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    const bool readable = i + 1 < count && (polled[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    if (readable ? read(&client) : client.last > idle) kept.push_back(std::move(client));
  }
  clients_ = std::move(kept);
  if (count > 0 && (polled[0].revents & POLLIN)) accept();
}

void ControlSocket::accept() {
  Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd) clients_.push_back({std::move(fd), {}, Clock::now()});
}

bool ControlSocket::read(Client* client) {
  char bytes[limits::kMaxCommandBytes];
  const ssize_t got = ::read(client->fd.get(), bytes, sizeof bytes);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  client->last = Clock::now();
  client->line.append(bytes, static_cast<size_t>(got));
  for (size_t end; (end = client->line.find('\n')) != std::string::npos; client->line.erase(0, end + 1)) {
    const std::string answer = answer_(std::string_view(client->line).substr(0, end)) + "\n";
    // A client that does not read its answers is done with: no answer is larger than the socket's buffer.
    const ssize_t sent = ::send(client->fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(answer.size())) return false;
  }
  return client->line.size() <= limits::kMaxCommandBytes;
}

}  // namespace spillway::capture
