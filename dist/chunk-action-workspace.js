function r({GITHUB_WORKSPACE:n}){return n||process.cwd()}export{r as a};
