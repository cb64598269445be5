// When work goes to a team and when to a single thread, on a machine that is only pretended: steps take as long as
// told.
#include <cstdio>
#include <cstdlib>

#include "core/team_choice.hpp"

using namespace foxnn;

namespace {

constexpr double kTeam = 0.0002, kAlone = 0.00036, kHeldUp = 0.016;  // seconds a step takes
int failures = 0;

void expect(bool holds, const char* what) {
    if (!holds) failures++, std::printf("not so: %s\n", what);
}

struct Run {
    int steps = 0;
    double seconds = 0, as_team = 0;
};

Run run(TeamChoice& choice, double team_step, double seconds) {
    Run run;
    while (run.seconds < seconds) {
        const bool alone = choice.workers(2) == 1;
        const double step = alone ? kAlone : team_step;
        choice.record(step, 1);
        run.steps++, run.seconds += step, run.as_team += alone ? 0 : step;
    }
    return run;
}

}  // namespace

int main() {
    TeamChoice quiet;
    Run r = run(quiet, kTeam, 5);
    expect(r.as_team > 0.95 * r.seconds, "a team that is faster works nearly all the time");

    TeamChoice held_up;
    r = run(held_up, kHeldUp, 10);
    expect(r.steps > 0.85 * r.seconds / kAlone, "a team that is held up costs little");

    for (double before = 1; before < 1.3; before += 0.02) {  // at any time between trials
        TeamChoice choice;
        run(choice, kTeam, before);
        r = run(choice, kHeldUp, 0.5);
        expect(r.as_team < 0.2, "a team is given up soon after something begins to hold it up");
        run(choice, kTeam, 1);
        r = run(choice, kTeam, 5);
        expect(r.as_team > 0.95 * r.seconds, "and taken again when nothing does any more");
    }

    TeamChoice hiccup;
    run(hiccup, kTeam, 1);
    while (hiccup.workers(2) == 1) run(hiccup, kTeam, kTeam);
    run(hiccup, kTeam, 0.1);
    run(hiccup, kHeldUp, kHeldUp);
    r = run(hiccup, kTeam, 0.05);
    expect(r.as_team == r.seconds, "one slow step changes nothing");

    std::printf("%d wrong\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
