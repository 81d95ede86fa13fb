// A forward pass over the program, each instruction once: jumps go forward only, so that all ways to an instruction
// have come together before it is looked at.
#include "filter/needs.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "filter/cbpf.h"
#include "filter/clauses.h"
#include "filter/packet_facts.h"
#include "filter/program.h"
#include "filter/registers.h"

namespace spillway {

using namespace cbpf;

namespace {

// Bounds the time of one program to some tenths of a second: alternatives that joins may look at, and what turning
// facts into clauses counts for. Clauses that are not found for it are needs less, no wrong ones.
constexpr int64_t kMaxWork = 10'000'000;
constexpr int64_t kWorkOfFacts = 64;

// States kept apart at one instruction. libpcap's optimiser lets tests of several fields share their tails (the last
// comparisons of IPv4's and ARP's address, say), where A holds one field or the other.
constexpr size_t kMaxStates = 8;

// What is known of all packets that come to an instruction with these registers.
struct State {
  Register a, x;
  PacketFacts facts;
  Clauses clauses;
};

uint8_t sizeOf(uint16_t code) {
  if (code == kLdWAbs || code == kLdWInd) return 4;
  return code == kLdHAbs || code == kLdHInd ? 2 : 1;
}

class Pass {
 public:
  Pass(Bytes code, uint32_t link_type) : places_(keyPlacesOf(link_type)), code_(code.size / sizeof(Insn)) {
    for (size_t i = 0; i < code_.size(); ++i) {
      const uint8_t* p = code.data + i * sizeof(Insn);
      code_[i] = {load16(p), p[2], p[3], load32(p + 4)};
    }
  }

  Needs run() {
    if (!survey()) return {};
    states_.resize(code_.size());
    flow(0, State{Register::ofConstant(0), Register::ofConstant(0), {}, {}});
    for (size_t i = 0; i < code_.size(); ++i) {
      for (State& state : std::exchange(states_[i], {})) step(i, std::move(state));
    }
    Needs needs;
    needs.never = !accepted_;
    if (accepted_) needs.clauses = accepted_->list();
    return needs;
  }

 private:
  static bool isJump(uint16_t code) { return (code & 7) == 5; }

  // The next instructions. Counted modulo 2^32 for the unconditional jump, as the verifier does.
  std::pair<size_t, size_t> targets(size_t i) const {
    const Insn& insn = code_[i];
    if (insn.code == kJa) {
      const size_t target = static_cast<uint32_t>(i + 1) + insn.k;
      return {target, target};
    }
    if (isJump(insn.code)) return {i + 1 + insn.jt, i + 1 + insn.jf};
    return {i + 1, i + 1};
  }

  // Finds from where the program can still accept. Returns false at a jump backwards.
  bool survey() {
    accepts_.assign(code_.size(), false);
    for (size_t i = code_.size(); i-- > 0;) {
      const Insn& insn = code_[i];
      if (insn.code == kRetK || insn.code == kRetA) {
        accepts_[i] = insn.code == kRetA || insn.k != 0;
        continue;
      }
      const auto [one, other] = targets(i);
      if (one <= i) return false;
      accepts_[i] = accepts_[one] || accepts_[other];
    }
    return true;
  }

  void flow(size_t target, State&& state) {
    if (!accepts_[target]) return;
    std::vector<State>& there = states_[target];
    for (State& one : there)
      if (one.a == state.a && one.x == state.x) return join(one, std::move(state));
    if (there.size() < kMaxStates) there.push_back(std::move(state));
    else join(there.back(), std::move(state));
  }

  void join(State& to, State&& state) {
    // The two have little in common but their clauses: what each knows becomes clauses before they meet.
    addClauses(to);
    addClauses(state);
    if (to.a != state.a) to.a = {};
    if (to.x != state.x) to.x = {};
    to.facts.join(state.facts);
    to.clauses = Clauses::join(to.clauses, state.clauses, work_);
  }

  void addClauses(State& state) {
    if (work_ <= 0) return;
    work_ -= kWorkOfFacts;
    state.facts.addClauses(places_, state.clauses);
  }

  void accept(State&& state) {
    addClauses(state);
    if (accepted_) accepted_ = Clauses::join(*accepted_, state.clauses, work_);
    else accepted_ = std::move(state.clauses);
  }

  // What a load through X reads; false when it is beyond every packet.
  static bool throughX(const Register& x, uint32_t k, uint8_t size, Register* a) {
    *a = {};
    if (x.kind == Register::header) *a = Register::ofLoad({k, size, true, x.value});
    if (x.kind != Register::constant) return true;
    const uint64_t offset = uint64_t{x.value} + k;
    *a = Register::ofLoad({static_cast<uint32_t>(offset), size});
    return offset <= 0xffffffff;
  }

  // Instructions not named here leave A (or X, or scratch memory) with something that is not followed.
  void step(size_t i, State&& state) {
    const Insn& insn = code_[i];
    Register& a = state.a;
    Register& x = state.x;
    switch (insn.code) {
      case kRetK:
        return accept(std::move(state));
      case kRetA:
        if (a != Register::ofConstant(0)) accept(std::move(state));
        return;
      case kJa:
        break;
      case kLdWAbs:
      case kLdHAbs:
      case kLdBAbs:
        a = Register::ofLoad({insn.k, sizeOf(insn.code)});
        break;
      case kLdWInd:
      case kLdHInd:
      case kLdBInd:
        if (!throughX(x, insn.k, sizeOf(insn.code), &a)) return;
        break;
      case kLdImm:
        a = Register::ofConstant(insn.k);
        break;
      case kLdxImm:
        x = Register::ofConstant(insn.k);
        break;
      case kLdxMsh:
        x = Register::ofHeader(insn.k);
        break;
      case kLdxMem:
      case kLdxLen:
        x = {};
        break;
      case kTax:
        x = a.kind == Register::constant ? a : Register{};
        break;
      case kTxa:
        a = x.kind == Register::constant ? x : Register{};
        break;
      case kSt:
      case kStx:
        break;
      case kAndK:
        a = a.keeping(insn.k);
        break;
      case kRshK:
        a = a.shiftedRight(insn.k);
        break;
      default:
        if (isJump(insn.code)) return branch(i, std::move(state));
        a = {};
    }
    flow(targets(i).first, std::move(state));
  }

  // Facts about bytes that are neither keys nor guards would only be carried along.
  bool matters(const Load& load) const {
    return std::any_of(places_.begin(), places_.end(), [&](const KeyPlace& place) {
      return std::find(place.parts.begin(), place.parts.end(), load) != place.parts.end() ||
             std::any_of(place.guards.begin(), place.guards.end(), [&](const Guard& g) { return g.load == load; });
    });
  }

  void branch(size_t i, State&& state) {
    const Insn& insn = code_[i];
    const auto [yes, no] = targets(i);
    const Register a = state.a;
    const bool with_x = comparesWithX(insn.code);
    const bool known = !with_x || state.x.kind == Register::constant;
    const uint32_t k = with_x ? state.x.value : insn.k;
    if (yes == no) return flow(yes, std::move(state));
    if (known && a.kind == Register::constant) return flow(isTrue(insn.code, a.value, k) ? yes : no, std::move(state));
    State other = state;
    bool may_be_true = true;
    bool may_be_false = true;
    if (known && a.kind == Register::loaded && matters(a.load)) {
      const Outcome outcome = outcomeOf(insn.code, a, k);
      may_be_true = state.facts.learn(a.load, outcome.mask, outcome.when_true);
      // That one value is not there is worth knowing only where few others are left.
      if (!outcome.excludes_one || other.facts.knows(a.load, outcome.mask))
        may_be_false = other.facts.learn(a.load, outcome.mask, outcome.when_false);
    }
    if (may_be_true) flow(yes, std::move(state));
    if (may_be_false) flow(no, std::move(other));
  }

  const std::vector<KeyPlace>& places_;
  std::vector<Insn> code_;
  std::vector<bool> accepts_;  // whether a packet can be accepted from there
  std::vector<std::vector<State>> states_;
  std::optional<Clauses> accepted_;
  int64_t work_ = kMaxWork;
};

}  // namespace

Needs needsOf(Bytes code, uint32_t link_type) {
  std::string why;
  if (!Program::verify(code, &why)) return {};
  return Pass(code, link_type).run();
}

}  // namespace spillway
