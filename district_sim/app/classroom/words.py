"""Every text of the students' and the teacher's page, in English, by its key; `languages` has the others.

`_` marks a text for translators; names of futures and indicators are those of the rest of the program. Braces hold what
is filled in.
"""

from district_sim.app.classroom.languages import ENGLISH, number, translated
from district_sim.app.classroom.lesson import FUTURES_ASKED
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
