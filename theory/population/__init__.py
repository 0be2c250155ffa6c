from theory.population.spectrum import PopulationSpectrum, population

__all__ = ["PopulationSpectrum", "population"]
