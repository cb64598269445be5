// When work goes to a team and when to a single thread, on a machine that is only pretended: steps take as long as
// told.
#include <initializer_list>

#include "core/team_choice.hpp"
#include "expect.hpp"

using namespace foxnn;

namespace {

struct Pace {  // seconds that a step takes
    double team, alone;
};

struct Run {
    double steps = 0, seconds = 0, as_team = 0;
};

Run run(TeamChoice& choice, Pace pace, double seconds) {
    Run run;
    while (run.seconds < seconds) {
        const bool alone = choice.workers(2) == 1;
        const double step = alone ? pace.alone : pace.team;
        choice.record(step, 1);
        run.steps++, run.seconds += step, run.as_team += alone ? 0 : step;
    }
    return run;
}

}  // namespace

int main() {
    for (const Pace quiet : {Pace{0.0002, 0.00036}, Pace{0.010, 0.019}, Pace{0.050, 0.095}}) {
        TeamChoice choice;
        run(choice, quiet, 1);
        const Run r = run(choice, quiet, 20);
        expect(r.steps > 0.985 * r.seconds / quiet.team, "a team that is faster loses little to trials");
    }

    const Pace quiet{0.0002, 0.00036}, held_up{0.0008, 0.00036};
    TeamChoice slow;
    Run r = run(slow, held_up, 20);
    expect(r.steps > 0.92 * r.seconds / held_up.alone, "a team that is slower costs little");

    TeamChoice choice;
    for (int times = 0; times < 3; times++) {
        run(choice, quiet, 1);
        run(choice, held_up, 0.5);
        r = run(choice, held_up, 5);
        expect(r.as_team < 0.2 * r.seconds, "a team is given up when something begins to hold it up");
        run(choice, quiet, 0.5);
        r = run(choice, quiet, 5);
        expect(r.as_team > 0.9 * r.seconds, "and taken again when nothing does any more");
    }

    return exit_status();
}
