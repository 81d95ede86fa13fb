// One line of JSON, made member by member.
#pragma once
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace spillway::capture {

class Json {
 public:
  Json& add(std::string_view name, std::string_view text) { return raw(name, quoted(text)); }
  Json& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  Json& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  template <std::integral T>
  Json& add(std::string_view name, T number) {
    return raw(name, std::to_string(number));
  }
  // A value that is JSON already.
  Json& raw(std::string_view name, const std::string& value) {
    body_ += (body_.empty() ? "" : ",") + quoted(name) + ":" + value;
    return *this;
  }
  std::string object() const { return "{" + body_ + "}"; }

  static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
        out += escaped;
      } else {
        out += c;
      }
    }
    return out + '"';
  }

 private:
  std::string body_;
};

}  // namespace spillway::capture
