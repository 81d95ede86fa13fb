#include "capture/privileges.h"

#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

namespace spillway::capture {
namespace {

Failure refused(const std::string& what) { return {Code::system, withErrno(what, errno)}; }

using CapabilitySets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

// `call` is SYS_capget or SYS_capset.
bool capabilities(long call, CapabilitySets* sets) {
  __user_cap_header_struct own{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(call, &own, sets->data()) == 0;
}

// All that a running capture calls; the names that a machine does not have are left out.
constexpr int kAllowed[] = {
    // Packets, descriptors
    __NR_read,
    __NR_write,
    __NR_pread64,
    __NR_pwrite64,
    __NR_readv,
    __NR_writev,
    __NR_pwritev,
    __NR_close,
    __NR_dup3,
    __NR_ppoll,
    __NR_ioctl,
    __NR_fcntl,
    __NR_getsockopt,
    __NR_setsockopt,
    __NR_getsockname,
    __NR_bind,
    __NR_accept4,
    __NR_sendto,
    __NR_recvfrom,
    // Files
    __NR_openat,
    __NR_fstat,
    __NR_newfstatat,
    __NR_statx,
    __NR_lseek,
    __NR_getdents64,
    __NR_ftruncate,
    __NR_fallocate,
    __NR_fsync,
    __NR_fdatasync,
    __NR_sync_file_range,
    __NR_flock,
    __NR_renameat,
    __NR_renameat2,
    __NR_unlinkat,
    __NR_utimensat,
    __NR_fadvise64,
    // Memory, threads, time, signals
    __NR_mmap,
    __NR_munmap,
    __NR_mprotect,
    __NR_mremap,
    __NR_madvise,
    __NR_brk,
    __NR_futex,
    __NR_sched_yield,
    __NR_set_robust_list,
    __NR_exit,
    __NR_exit_group,
    __NR_clock_gettime,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_gettimeofday,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_restart_syscall,
    __NR_getpid,
    __NR_gettid,
    __NR_tgkill,
    __NR_getrandom,
#ifdef __NR_rseq
    __NR_rseq,
#endif
#ifdef __NR_poll
    __NR_poll,
#endif
#ifdef __NR_open
    __NR_dup2,
    __NR_open,
    __NR_stat,
    __NR_lstat,
    __NR_rename,
    __NR_unlink,
#endif
};

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the number of this machine's system calls is not known"
#endif

sock_filter statement(int code, size_t k) { return {static_cast<uint16_t>(code), 0, 0, static_cast<uint32_t>(k)}; }
// Goes on with the next instruction where A is k, else behind that.
sock_filter unlessEqualSkip(size_t k) { return {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<uint32_t>(k)}; }

}  // namespace

void raisePriority() { ::setpriority(PRIO_PROCESS, 0, -10); }

Failed becomeUser(const User& user) {
  if (::setgroups(0, nullptr) != 0) return refused("the groups can't be given up");
  if (::setresgid(user.gid, user.gid, user.gid) != 0) return refused("the group can't be changed");
  // What is permitted stays so across the change of user.
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return refused("the capabilities can't be kept");
  if (::setresuid(user.uid, user.uid, user.uid) != 0) return refused("the user can't be changed");
  ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  CapabilitySets sets{};
  if (!capabilities(SYS_capget, &sets)) return refused("the capabilities can't be read");
  // Packet sockets; and hardware times, where they are asked for.
  constexpr uint32_t kNeeded = 1u << CAP_NET_RAW | 1u << CAP_NET_ADMIN;
  const uint32_t kept = sets[0].permitted & kNeeded;
  sets = {};
  sets[0].permitted = sets[0].effective = kept;
  if (!capabilities(SYS_capset, &sets)) return refused("the capabilities can't be set");
  return std::nullopt;
}

Failed dropPrivileges() {
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  CapabilitySets none{};
  if (!capabilities(SYS_capset, &none)) return refused("the capabilities can't be given up");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("privileges can't be ruled out");
  return std::nullopt;
}

Failed limitSystemCalls() {
  const sock_filter refuse = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  std::vector<sock_filter> filter{statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
                                  {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kArchitecture},
                                  refuse,
                                  statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  // x32 calls have a bit of their own in the number, and so are none of these.
  for (const int call : kAllowed) {
    filter.push_back(unlessEqualSkip(static_cast<size_t>(call)));
    filter.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  filter.push_back(refuse);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
    return refused("the system calls can't be limited");
  return std::nullopt;
}

}  // namespace spillway::capture
