<#-- The frame of every page. No inline script or style: the realm's Content-Security-Policy allows none. -->
<#macro registrationLayout bodyClass="" displayInfo=false displayMessage=true displayRequiredFields=false>
<!DOCTYPE html>
<html lang="${lang}">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex, nofollow">
    <meta name="theme-color" content="#b3171b">
    <title><#nested "header"> – ${msg("zhibuName")}</title>
    <link rel="icon" href="${url.resourcesPath}/img/zhibu.svg" type="image/svg+xml">
    <#list properties.styles?split(' ') as style>
    <link rel="stylesheet" href="${url.resourcesPath}/${style}">
    </#list>
    <script type="module" src="${url.resourcesPath}/js/page.js"></script>
</head>
<body data-page-id="login-${pageId}">
<a class="skip" href="#main">${msg("zhibuSkip")}</a>
<header class="bar">
    <div class="wrap">
        <#if (client.baseUrl)?has_content>
            <a class="brand" href="${client.baseUrl}">${msg("zhibuName")}</a>
        <#else>
            <span class="brand">${msg("zhibuName")}</span>
        </#if>
        <#-- On the page for a device's code Keycloak does not take a change of language. -->
        <#if realm.internationalizationEnabled && locale.supported?size gt 1 && pageId != "login-oauth2-device-verify-user-code">
            <nav aria-label="${msg("zhibuLanguages")}">
                <#list locale.supported as l>
                    <#if l.languageTag != locale.currentLanguageTag>
                        <a href="${l.url}" lang="${l.languageTag}" hreflang="${l.languageTag}">${msg("zhibuLanguage_" + l.languageTag?replace("-", "_"))}</a>
                    </#if>
                </#list>
            </nav>
        </#if>
    </div>
</header>
<main id="main" class="wrap" tabindex="-1">
    <#-- App-initiated actions are the member's own wish: no warning that something must be done first. -->
    <#if displayMessage && message?has_content && (message.type != 'warning' || !isAppInitiatedAction??)>
        <div class="notice notice-${message.type}" role="<#if message.type = 'error'>alert<#else>status</#if>">
            <p>${kcSanitize(message.summary)?no_esc}</p>
        </div>
    </#if>
    <h1 id="kc-page-title"><#nested "header"></h1>
    <#if auth?has_content && auth.showUsername() && !auth.showResetCredentials()>
        <p class="who">
            <span>${msg("username")}</span> <strong id="kc-attempted-username">${auth.attemptedUsername}</strong>
            <a id="reset-login" href="${url.loginRestartFlowUrl}">${msg("zhibuOtherAccount")}</a>
        </p>
    </#if>
    <#nested "form">
    <#if auth?has_content && auth.showTryAnotherWayLink()>
        <form id="kc-select-try-another-way-form" action="${url.loginAction}" method="post">
            <button class="button-link" type="submit" name="tryAnotherWay" value="on" id="try-another-way">${msg("doTryAnotherWay")}</button>
        </form>
    </#if>
    <#nested "socialProviders">
    <#if displayInfo><div class="info"><#nested "info"></div></#if>
</main>
<footer class="wrap">
    <#if properties.helpTelephone?has_content>
        <p>${msg("zhibuHelp")} <a href="tel:${properties.helpTelephone?replace("-", "")}">${properties.helpTelephone}</a></p>
    </#if>
    <#if (client.baseUrl)?has_content>
        <p><a href="${client.baseUrl}/privacy">${msg("zhibuPrivacy")}</a></p>
    </#if>
</footer>
</body>
</html>
</#macro>

<#-- A password with a button that shows it. -->
<#macro password name label autocomplete error="" describedBy="" autofocus=false>
    <div class="group<#if error?has_content> group-error</#if>">
        <label class="label" for="${name}">${label}</label>
        <#nested>
        <#if error?has_content>
            <p class="error-message" id="${name}-error">${error?no_esc}</p>
        </#if>
        <div class="with-button">
            <input class="input" type="password" id="${name}" name="${name}" autocomplete="${autocomplete}" dir="ltr" required
                   <#if autofocus>autofocus</#if>
                   <#if error?has_content>aria-invalid="true"</#if>
                   <#if (error?has_content || describedBy?has_content)>aria-describedby="<#if error?has_content>${name}-error</#if> ${describedBy}"</#if>>
            <button class="button button-secondary" type="button" hidden data-shows="${name}" aria-controls="${name}"
                    aria-label="${msg("showPassword")}" data-label-show="${msg("showPassword")}" data-label-hide="${msg("hidePassword")}"
                    data-text-show="${msg("zhibuShow")}" data-text-hide="${msg("zhibuHide")}">${msg("zhibuShow")}</button>
        </div>
    </div>
</#macro>
