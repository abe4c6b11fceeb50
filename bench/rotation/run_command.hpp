#pragma once

namespace livetls::bench {

/// `livetls-bench run`: puts load on any TLS server and says what came of it. Answers the exit
/// code.
int run_command(int argc, char** argv);

}  // namespace livetls::bench
