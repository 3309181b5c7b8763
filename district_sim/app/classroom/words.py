"""Every text of the students' and the teacher's page, in English, by its key; `languages` has the others.

`_` marks a text for translators; names of futures and indicators are those of the rest of the program. Braces hold what
is filled in.
"""

from district_sim.app.classroom.languages import ENGLISH, number, translated
from district_sim.app.classroom.steps import FUTURES_ASKED
from district_sim.app.classroom.story import Story
from district_sim.scenario.indicators import INDICATORS, Indicator
from district_sim.text.names import TRAJECTORY_NAMES, UNDEFINED, in_percent, unit_words


def _(text: str) -> str:
    return text


WORDS: dict[str, str] = {
    # Coming in
    "class": _("Class"),
    "language": _("Language"),
    "skip": _("To the step"),
    "code": _("Code"),
    "code_hint": _("Four letters, on the teacher's screen"),
    "join": _("Join"),
    "name": _("Name, if you like"),
    "save": _("Save"),
    "player": _("Player {number}"),
    "team": _("Team {number}"),
    "your_team": _("Your team"),
    "people": _("{count} in the team"),
    "waiting": _("Connecting …"),
    "lost": _("Connection lost. Trying again …"),
    "kept": _("Saved"),
    # A step
    "step_of": _("Step {step} of {steps}"),
    "minutes": _("{minutes} min"),
    "eyes": _("The teacher has paused. Eyes to the front."),
    "answer": _("Answer"),
    "your_answer": _("Your answer: {answer}"),
    "no_answer": _("You gave no answer"),
    "change": _("You can change it until the teacher reveals the result."),
    "truth": _("Result: {truth}"),
    "right": _("You were right."),
    "wrong": _("You guessed something else."),
    "off_by": _("You were off by {amount}."),
    "class_said": _("What the class said"),
    "what_future": _("How will this district end?"),
    "how_many": _("In how many of {runs} districts like this one: {future}?"),
    "of_runs": _("{count} of {runs}"),
    "percent_of_first": _("{indicator} in the last year, in per cent of the first year"),
    "percent": _("{indicator} in the last year, in per cent"),
    "guess": _("Your guess"),
    "how_it_ended": _("How it ended: {future}"),
    "computing": _("Computing …"),
    "play": _("Play"),
    "stop": _("Pause"),
    "to_end": _("To the end"),
    "quarter_of": _("Quarter {quarter} of {quarters}"),
    "before": _("Pale line: the district as it was"),
    "notes_of": _("About this district"),
    # One's own district
    "decide": _("Decide"),
    "costs": _("costs {money}"),
    "free": _("free"),
    "a_quarter": _("{money} k€ a quarter"),
    "left": _("Left in the purse: {money} of {purse}"),
    "spent": _("Spent: {money}"),
    "over": _("Too dear by {money}"),
    "run": _("Run the district"),
    "tries": _("{left} of {tries} runs left; the last one counts"),
    "million": _("{money} M€"),
    "from_quarter": _("from quarter {quarter}"),
    # The public-good game
    "round_of": _("Round {round} of {rounds}"),
    "round": _("Round"),
    "game_over": _("All rounds are played."),
    "your_firm": _("You run firm {firm}: phase {phase}, {employees} employees, value added {value} k€ a quarter."),
    "firm_closed": _("Your firm has closed. You now run another one."),
    "firm_sold": _("Your firm was sold. You now run another one."),
    "no_firm": _("All firms are taken: you watch, or take over the agency."),
    "fee_now": _("Members pay {fee} % of their value added: {money} k€ in this round, if your firm earns as before."),
    "will_you": _("Does your firm join the agency in this round?"),
    "join_yes": _("It joins"),
    "join_no": _("It does not join"),
    "by_itself": _("Until you decide, your firm decides by itself, like the other firms."),
    "stays": _("It stays so in later rounds until you change it."),
    "you_lead": _("You lead the agency"),
    "lead_text": _("You set what members pay and what is done with it. It holds when the teacher plays the round."),
    "effort": _("What the money is spent on"),
    "effort_usual": _("A little of everything"),
    "take_agency": _("Lead the agency"),
    "agency_free": _("Nobody leads the agency."),
    "round_told": _(
        "{share} % of all firms are members: {joined} of {decided} players, and {members} of the {others} other firms."
    ),
    "agency_took": _("The agency took {took} k€ and worked in {worked} of {quarters} quarters."),
    "agency_idle": _("Too little money was pledged: contributions were returned, and nothing was done."),
    "you_paid": _("Your firm paid {paid} k€ and earned {profit} k€."),
    "had_joined": _("Had it joined, all else as it was, it would have earned {profit} k€."),
    "had_not": _("Had it not joined, all else as it was, it would have earned {profit} k€."),
    "rounds_so_far": _("Rounds so far"),
    "play_round": _("Play round {round}"),
    "anew": _("Begin the game anew"),
    "anew_sure": _("Press again to begin anew: the rounds so far are no longer shown."),
    "leads": _("Leads the agency"),
    "nobody": _("Nobody"),
    "decided": _("{count} of {all} have decided; the other firms of players decide by themselves or as before."),
    "col_fee": _("Fee, %"),
    "col_effort": _("Spent on"),
    "col_joined": _("Players joined"),
    "col_members": _("Other members"),
    "col_took": _("Took, k€"),
    "col_match": _("Match, k€"),
    "col_capability": _("Capability"),
    "col_cost": _("Joining costs, %"),
    "col_kept": _("Value added, %"),
    "col_joins": _("Joined"),
    "col_paid": _("Paid, k€"),
    "col_margin": _("Earned, % of value added"),
    "col_gain": _("Gain, k€"),
    "cost_hint": _(
        "Joining costs: what it costs a player in the round, in % of value added, all other decisions as they were; "
        "below 0 it pays. Value added: kept in the district, in % of that of the same district without an agency."
    ),
    "gain_hint": _(
        "Gain: profit over what the contrary decision would have brought, round by round, all else as it was."
    ),
    "you": _("You"),
    "members_col": _("Members, %"),
    "brought": _("Gain, k€"),
    "yes": _("yes"),
    "no": _("no"),
    "itself": _("by itself"),
    # Why a run ended so
    "story.fragmentation.sold": _(
        "Multinationals bought {count} firms from year {first} to year {last}, among them firm {firm} in year {year}, "
        "and make {share} % of sales in the last years."
    ),
    "story.fragmentation.sold_before": _("Multinationals make {share} % of sales in the last years."),
    "story.fragmentation.bound": _(
        "Local leaders bought {count} firms from year {first} to year {last}, among them firm {firm} in year {year}, "
        "and {share} % of suppliers are bound to one client or a group in the last years."
    ),
    "story.fragmentation.bound_before": _(
        "{share} % of suppliers are bound to one client or a group in the last years."
    ),
    "story.post_marshallian_node": _(
        "Firms made {local_before} % of their purchases in the district in the first years and {local_after} % in the "
        "last ones, and the firms with links of their own to the outside went from {links_before} % to {links_after} %."
    ),
    "story.learning_region": _(
        "Technology {technology} ripened in year {year}, the last to do so, and {share} % of firms work with the "
        "newest one in the last years."
    ),
    "story.learning_region_before": _("{share} % of firms work with the newest technology in the last years."),
    "story.collective_entrepreneurship": _(
        "Cooperation began in year {year} and lasted: {share} % of firms are members of the agency in the last years."
    ),
    "story.collective_entrepreneurship_before": _("{share} % of firms are members of the agency in the last years."),
    "story.decline": _("{jobs} % of the jobs of the first years are left in the last ones."),
    "story.decline_phase": _(
        "The district lost the last firm of phase {phase} in year {year}, and {jobs} % of the jobs of the first years "
        "are left in the last ones."
    ),
    "story.marshallian_persistence": _(
        "No future came about: in the last years multinationals make {foreign} % of sales, {members} % of firms are "
        "members of the agency, and {jobs} % of the jobs of the first years are left."
    ),
    "story.marshallian_persistence_broke": _(
        "No future came about: cooperation broke off in year {year}, multinationals make {foreign} % of sales in the "
        "last years, and {jobs} % of the jobs of the first years are left."
    ),
    "story.none": _("Too little is known of the last years to name a future."),
    "story.as_it_was": _(
        "Without these decisions, under the same luck, the same district ends like this: {future}, with {jobs} "
        "employees instead of {own}."
    ),
    # The teacher's page
    "teacher": _("Teacher"),
    "key": _("Key"),
    "key_hint": _("It stands in the terminal where the class was started"),
    "open": _("Open"),
    "how_to_join": _("Join here"),
    "here": _("{here} here, {all} in all"),
    "previous": _("Back"),
    "next": _("Next step"),
    "pause": _("Pause"),
    "go_on": _("Go on"),
    "reveal": _("Reveal"),
    "revealed": _("Revealed"),
    "notes": _("Notes for the teacher"),
    "steps": _("Steps"),
    "names": _("Show names"),
    "bars": _("Show answers as they come"),
    "answered": _("{count} of {all} have answered"),
    "table": _("Districts"),
    "who": _("Who"),
    "runs": _("Runs"),
    "money": _("Money, M€"),
    "future": _("Future"),
    "look": _("Look"),
    "look_hint": _("Draw up to two districts"),
    "none_yet": _("Nobody has run a district yet"),
    "class_list": _("Who is in"),
    "hide": _("Hide name"),
    "show": _("Show name"),
    "results": _("Results (CSV)"),
    "picture": _("Picture (PNG)"),
    "as_it_was": _("As it was"),
    "replay": _("Open"),
    "close_run": _("Back to the class"),
    "replay_hint": _("Open this run in district-sim app, which has to run on this laptop"),
    "away": _("away"),
    "time_left": _("{minutes} min left"),
    "time_over": _("{minutes} min over"),
    "right_choice": _("right"),
    # What cannot be done
    "no.full": _("The room is full: {most} have come."),
    "no.enough": _("This phone has sent too much. Ask the teacher."),
    "no.not_understood": _("That was not understood. Load the page again."),
    "no.step_over": _("The class has gone on to another step."),
    "no.paused": _("The teacher has paused."),
    "no.revealed": _("The result is out: answers stay as they are."),
    "no.ran": _("This run was made already."),
    "no.no_tries": _("All {most} runs are used."),
    "no.too_dear": _("That costs more than the purse holds ({purse} M€)."),
    "no.name_long": _("A name has at most {most} letters."),
    "no.number": _("Must be a number between {low} and {high}."),
    "no.game_over": _("All rounds are played."),
    "no.agency_held": _("Somebody leads the agency already."),
    "no.other_role": _("That is for who leads the agency, or for who runs a firm: the roles have changed."),
    "no.code": _("This is not the code of this class."),
    "no.key": _("This is not the key of this class."),
    "no.wait": _("Too many tries. Wait a minute."),
    "no.too_fast": _("Too fast. Wait a moment."),
    "no.crowd": _("Too many connections to this class."),
    "no.disk": _("It could not be saved: the teacher's disk is full or cannot be written."),
    "no.run": _("This run could not be made."),
}

WORDS |= {f"future.{label}": _(TRAJECTORY_NAMES[label]) for label in FUTURES_ASKED}
WORDS["future.none"] = _(UNDEFINED)


def words(language: str) -> dict[str, str]:
    """Every text of the pages in a language."""
    return {key: translated(text, language) for key, text in WORDS.items()}


def refusal(word: str, language: str = ENGLISH, **given: object) -> str:
    """Why something cannot be done, in a sentence."""
    told = {name: number(value, language) for name, value in given.items()}
    return translated(WORDS[f"no.{word}"], language).format(**told)


def indicators(names: tuple[str, ...], language: str = ENGLISH) -> dict[str, dict[str, str | int | bool]]:
    """What the pages have to know of indicators: label, unit in words, decimals, whether they are shares."""
    return {
        one.name: {
            "label": translated(one.label, language),
            "unit": translated(unit_of(one), language),
            "decimals": one.decimals,
            "share": in_percent(one.name),
        }
        for one in INDICATORS
        if one.name in names
    }


def unit_of(indicator: Indicator) -> str:
    """An indicator's unit in words; empty where its label says it."""
    known = indicator.unit in ("1", "share", indicator.label.lower())
    return "" if known else unit_words(indicator.unit)


def story_told(story: Story, language: str = ENGLISH) -> str:
    """Why a run ended so, in a sentence."""
    given = {name: number(value, language) for name, value in story.given.items()}
    return translated(WORDS[story.word], language).format(**given)
