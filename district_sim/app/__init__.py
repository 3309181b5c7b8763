"""Play: the page, where a district is watched, steered and compared in a browser, and the class on its phones.

`levers`, `interventions`, `course`, `simulation`, `links` and `downloads` know nothing of Solara; the others draw.
"""
