"""Kill -9 at any instant: is anything acknowledged lost, is anything done twice?"""
