"""The page: a district that is watched, steered and compared in a browser.

`levers`, `measures`, `course`, `simulation`, `sharing` and `downloads` know nothing of Solara; the others draw.
"""
