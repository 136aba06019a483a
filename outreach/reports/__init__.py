"""Are patients being reached, and is it helping?"""
